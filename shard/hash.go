package shard

import "math/bits"

// The primes of XXH64.
const (
	prime1 uint64 = 0x9E3779B185EBCA87
	prime2 uint64 = 0xC2B2AE3D27D4EB4F
	prime3 uint64 = 0x165667B19E3779F9
	prime4 uint64 = 0x85EBCA77C2B2AE63
	prime5 uint64 = 0x27D4EB2F165667C5
)

// Hash returns the XXH64 hash of key, with seed 0: the number by which a [Ring]
// finds a key and a [Plan] names ranges of them. It is the same in every process,
// on every machine and in every version of this package, and there is an
// implementation of it for every language; testdata/golden.json has vectors.
//
// XXH64 is not keyed: who chooses keys can choose many with one owner. Where
// strangers name the keys and that matters, hash a secret into them first.
func Hash(key string) uint64 {
	total := uint64(len(key))
	var h uint64
	if len(key) >= 32 {
		h, key = hashStripes(key)
	} else {
		h = prime5
	}
	h += total

	for ; len(key) >= 8; key = key[8:] {
		h ^= hashRound(0, load64(key))
		h = bits.RotateLeft64(h, 27)*prime1 + prime4
	}
	if len(key) >= 4 {
		h ^= uint64(load32(key)) * prime1
		h = bits.RotateLeft64(h, 23)*prime2 + prime3
		key = key[4:]
	}
	for i := range len(key) {
		h ^= uint64(key[i]) * prime5
		h = bits.RotateLeft64(h, 11) * prime1
	}

	h = (h ^ h>>33) * prime2
	h = (h ^ h>>29) * prime3
	return h ^ h>>32
}

// hashStripes takes the whole 32-byte stripes of a long key in four lanes and
// returns what is left of it.
func hashStripes(key string) (h uint64, rest string) {
	p1 := prime1 // a variable, because the sums below are meant to wrap
	v1, v2, v3, v4 := p1+prime2, prime2, uint64(0), -p1
	for ; len(key) >= 32; key = key[32:] {
		v1 = hashRound(v1, load64(key))
		v2 = hashRound(v2, load64(key[8:]))
		v3 = hashRound(v3, load64(key[16:]))
		v4 = hashRound(v4, load64(key[24:]))
	}
	h = bits.RotateLeft64(v1, 1) + bits.RotateLeft64(v2, 7) +
		bits.RotateLeft64(v3, 12) + bits.RotateLeft64(v4, 18)
	for _, v := range [...]uint64{v1, v2, v3, v4} {
		h = (h^hashRound(0, v))*prime1 + prime4
	}
	return h, key
}

func hashRound(acc, lane uint64) uint64 {
	return bits.RotateLeft64(acc+lane*prime2, 31) * prime1
}

// load64 and load32 read little-endian; the compiler makes one load of each.
func load64(s string) uint64 {
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

func load32(s string) uint32 {
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}
