package codec

import (
	"bytes"
	"compress/flate"
	"compress/zlib"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// zlibVectors are what zlib 1.2.13 makes of three messages of one stream: deflate with Z_SYNC_FLUSH, level 6.
// The second refers to the first, and the third to both.
var zlibVectors = []struct{ hex, message string }{
	{"789caa56ca2f50b23234d0512a56b2ca2bcdc9d1512a81315294acaa953252138b4a9252134be233f34a528bca127394ac4c0c8d4c0d6a6b01000000ffff",
		`{"op":10,"s":null,"t":null,"d":{"heartbeat_interval":41250}}`},
	{"aa86e835c4a117c4a805000000ffff",
		`{"op":11,"s":null,"t":null,"d":null}`},
	{"82a881186f0896570a727574895442371e2801672b606129d5d602000000ffff",
		`{"op":0,"s":1,"t":"READY","d":{"heartbeat":"heartbeat heartbeat heartbeat"}}`},
}

func TestZlibStreamReadsZlib(t *testing.T) {
	r := NewZlibStreamReader(Limits{})
	for i, v := range zlibVectors {
		data, err := hex.DecodeString(v.hex)
		if err != nil {
			t.Fatal(err)
		}
		got, err := r.Append([]byte("kept"), data)
		if err != nil || string(got) != "kept"+v.message {
			t.Fatalf("message %d: %q, %v", i, got, err)
		}
	}
}

// messages are of all sizes, the windows of compressor and reader several times over, some of them empty.
func messages(seed uint64) (list [][]byte) {
	rnd := rand.New(rand.NewPCG(seed, 0))
	for i := range 60 {
		m := []byte(strings.Repeat(fmt.Sprintf(`{"op":0,"s":%d,"t":"E","d":"%d"}`, i, rnd.Uint64()), rnd.IntN(5)))
		if i%20 == 7 { // noise, which becomes stored blocks
			m = make([]byte, rnd.IntN(100_000))
			for j := range m {
				m[j] = byte(rnd.Uint32())
			}
		}
		if i%20 == 9 {
			m = bytes.Repeat(m, 3000)
		}
		list = append(list, m)
	}
	return list
}

// What is written is one zlib stream that compress/zlib reads from one end to the other, each message ends
// with a flush, and the reader finds the messages again, one by one, also on a stream that was used before.
func TestZlibStream(t *testing.T) {
	z := NewZlibStream()
	for seed := range uint64(5) {
		z.Reset()
		r := NewZlibStreamReader(Limits{})
		var whole, want []byte
		for i, m := range messages(seed) {
			data := z.Append([]byte("kept"), m)
			if string(data[:4]) != "kept" || !bytes.HasSuffix(data, flushed) {
				t.Fatalf("message %d: %.20q … %x", i, data, data[len(data)-4:])
			}
			data = data[4:]
			whole, want = append(whole, data...), append(want, m...)
			got, err := r.Append(nil, data)
			if err != nil || !bytes.Equal(got, m) {
				t.Fatalf("message %d of %d bytes: came back as %d, %v", i, len(m), len(got), err)
			}
		}
		std, err := zlib.NewReader(bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(want))
		if _, err := io.ReadFull(std, got); err != nil || !bytes.Equal(got, want) {
			t.Errorf("seed %d: compress/zlib does not read it: %v", seed, err)
		}
	}
}

// The second of two equal messages is short: there is one context for both, and none after Reset.
func TestZlibStreamHasOneContext(t *testing.T) {
	var noise [300]byte
	for i := range noise {
		noise[i] = byte(i * i)
	}
	z := NewZlibStream()
	first := z.Append(nil, noise[:])
	if second := z.Append(nil, noise[:]); len(second) > 30 {
		t.Errorf("%d bytes, then %d", len(first), len(second))
	}
	z.Reset()
	if again := z.Append(nil, noise[:]); !bytes.Equal(again, first) {
		t.Errorf("after Reset %d bytes, on a new stream %d", len(again), len(first))
	}
}

func TestZlibStreamDoesNotAllocate(t *testing.T) {
	z, message := NewZlibStream(), []byte(strings.Repeat(`{"op":0,"s":1}`, 20))
	dst := z.Append(nil, message)
	if n := testing.AllocsPerRun(100, func() { dst = z.Append(dst[:0], message) }); n != 0 {
		t.Errorf("%v allocations a message", n)
	}
}

// deflated is a stream's first message from raw deflate, with a flush behind it.
func deflated(plain []byte) []byte {
	out := bytes.NewBuffer([]byte{0x78, 0x9c})
	w, _ := flate.NewWriter(out, 9)
	w.Write(plain)
	w.Flush()
	return out.Bytes()
}

func TestZlibStreamRefuses(t *testing.T) {
	hello := deflated([]byte("hello hello hello"))
	noise := messages(1)[7][:5000]
	stored := deflated(noise)
	bomb := deflated(make([]byte, 8<<20))
	var ended bytes.Buffer
	w := zlib.NewWriter(&ended)
	w.Write([]byte("hello"))
	w.Close()
	ended.Write(flushed)
	limits := Limits{Output: 5000}
	if got, err := NewZlibStreamReader(limits).Append(nil, stored); err != nil || !bytes.Equal(got, noise) {
		t.Fatalf("a message as long as the limit: %d bytes, %v", len(got), err)
	}

	// A stored block that claims 100 bytes, of which the flush is 4: it looks whole at its end.
	cut := []byte{0x78, 0x9c, 0x00, 0x64, 0x00, 0x9b, 0xff, 0x00, 0x00, 0xff, 0xff}
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"nothing", nil, ErrTruncated},
		{"half a header", hello[:1], ErrTruncated},
		{"a header alone", hello[:2], ErrTruncated},
		{"no flush", hello[:len(hello)-1], ErrTruncated},
		{"a flush alone", append([]byte{0x78, 0x9c}, flushed...), ErrTruncated},
		{"a block cut short that ends like a flush", cut, ErrTruncated},
		{"gzip", append([]byte{0x1f, 0x8b}, hello[2:]...), ErrSyntax},
		{"no check of the header", append([]byte{0x78, 0x9d}, hello[2:]...), ErrSyntax},
		{"a window of 64 KB", append([]byte{0x88, 0x1c}, hello[2:]...), ErrSyntax},
		{"a dictionary", append([]byte{0x78, 0xbb}, hello[2:]...), ErrSyntax},
		{"garbage", append([]byte{0x78, 0x9c, 0xff, 0xff, 0xff}, hello[2:]...), ErrSyntax},
		{"a distance before the beginning", append([]byte{0x78, 0x9c, 0x4b, 0x04, 0x52, 0x00}, flushed...), ErrSyntax},
		{"a stream that ends", ended.Bytes(), ErrTrailing},
		{"one byte over the limit", deflated(append(noise, 'x')), ErrTooLarge},
		{"a bomb", bomb, ErrTooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := NewZlibStreamReader(limits)
			got, err := r.Append([]byte("kept"), tt.data)
			var typed *Error
			if !errors.Is(err, tt.want) || !errors.As(err, &typed) || string(got) != "kept" {
				t.Fatalf("%q, %v, want %v", got, err, tt.want)
			}
			if typed.Offset > len(tt.data) {
				t.Errorf("the offset is %d in %d bytes", typed.Offset, len(tt.data))
			}
			if _, again := r.Append(nil, hello); again != err {
				t.Errorf("then %v: the error is not latched", again)
			}
		})
	}
}

// FuzzZlibStream: whatever comes is read as compress/flate does it or refused, within the limit; and every
// message comes back through a stream, also split in two.
func FuzzZlibStream(f *testing.F) {
	for _, v := range zlibVectors {
		data, _ := hex.DecodeString(v.hex)
		f.Add(data, uint16(3))
		f.Add([]byte(v.message), uint16(10))
	}
	f.Add(deflated(bytes.Repeat([]byte("a"), 10_000)), uint16(20))
	f.Fuzz(func(t *testing.T, data []byte, at uint16) {
		const limit = 8000
		got, err := NewZlibStreamReader(Limits{Output: limit}).Append(nil, data)
		if len(got) > limit {
			t.Fatalf("%d bytes came out", len(got))
		}
		if err == nil {
			want := make([]byte, len(got))
			if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(data[2:])), want); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%x became %x, by compress/flate %x, %v", data, got, want, err)
			}
		}
		z, r := NewZlibStream(), NewZlibStreamReader(Limits{Output: -1})
		i := min(int(at), len(data))
		for _, m := range [][]byte{data[:i], data[i:], data} {
			got, err := r.Append(nil, z.Append(nil, m))
			if err != nil || !bytes.Equal(got, m) {
				t.Fatalf("%x came back as %x, %v", m, got, err)
			}
		}
	})
}
