package shard

import (
	"encoding/binary"
	"math/bits"
	"strings"
	"testing"
)

// The vectors are XXH64's own, as its implementations publish them.
func TestHashPublishedVectors(t *testing.T) {
	for _, tt := range []struct {
		key  string
		want uint64
	}{
		{"", 0xef46db3751d8e999},
		{"a", 0xd24ec4f1a98c6e5b},
		{"abc", 0x44bc2cf5ad770999},
		{"Nobody inspects the spammish repetition", 0xfbcea83c8a378bf1},
	} {
		if got := Hash(tt.key); got != tt.want {
			t.Errorf("Hash(%q) = %#x, want %#x", tt.key, got, tt.want)
		}
	}
}

func TestHashDoesNotAllocate(t *testing.T) {
	key := strings.Repeat("k", 100)
	var sum uint64
	if n := testing.AllocsPerRun(100, func() { sum += Hash(key) }); n != 0 || sum == 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzHash(f *testing.F) {
	for n := range 70 { // each path of the last bytes, with none, one and two stripes
		f.Add(strings.Repeat("0123456789", 7)[:n])
	}
	f.Fuzz(func(t *testing.T, key string) {
		if got, want := Hash(key), slowHash([]byte(key)); got != want {
			t.Errorf("Hash(%q) = %#x, want %#x", key, got, want)
		}
	})
}

// slowHash is XXH64 as its specification tells it, step by step.
func slowHash(b []byte) uint64 {
	var (
		round = func(acc, lane uint64) uint64 { return bits.RotateLeft64(acc+lane*prime2, 31) * prime1 }
		merge = func(acc, v uint64) uint64 { return (acc^round(0, v))*prime1 + prime4 }
		p1    = prime1
		n     = len(b)
		acc   = prime5
	)
	if n >= 32 {
		v := [4]uint64{p1 + prime2, prime2, 0, 0 - p1}
		for ; len(b) >= 32; b = b[32:] {
			for i := range v {
				v[i] = round(v[i], binary.LittleEndian.Uint64(b[8*i:]))
			}
		}
		acc = bits.RotateLeft64(v[0], 1) + bits.RotateLeft64(v[1], 7) + bits.RotateLeft64(v[2], 12) + bits.RotateLeft64(v[3], 18)
		for _, x := range v {
			acc = merge(acc, x)
		}
	}
	acc += uint64(n)
	for len(b) > 0 {
		switch {
		case len(b) >= 8:
			acc = bits.RotateLeft64(acc^round(0, binary.LittleEndian.Uint64(b)), 27)*prime1 + prime4
			b = b[8:]
		case len(b) >= 4:
			acc = bits.RotateLeft64(acc^uint64(binary.LittleEndian.Uint32(b))*prime1, 23)*prime2 + prime3
			b = b[4:]
		default:
			acc = bits.RotateLeft64(acc^uint64(b[0])*prime5, 11) * prime1
			b = b[1:]
		}
	}
	acc = (acc ^ acc>>33) * prime2
	acc = (acc ^ acc>>29) * prime3
	return acc ^ acc>>32
}
