package codec

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"slices"
)

// index finds the longest match of some bytes in a dictionary. The positions of the dictionary stand in
// buckets by the hash of their first four bytes, and within a bucket in the order of what follows them
// there, so that a binary search passes the longest match. Most searches fail, and most of these end at
// a filter: one bit per hash of four bytes, which stays in the nearest cache. The filters of five and
// eight bytes tell whether a match longer than one that is known can exist.
type index struct {
	data   []byte
	padded []byte // data and eight bytes, so that eight can be loaded anywhere
	order  []uint16
	starts []uint16 // bucket b is order[starts[b]:starts[b+1]]

	four, five, eight []uint64 // filters
	shift             uint     // 64 less the bits of a filter's hash
}

// perBucket is how many bits of a filter's hash the buckets leave out.
const perBucket = 2

// few positions are looked at one by one, which costs less than to guess wrong in a binary search.
const few = 4

// sorted is as far as the order within a bucket goes. Beyond it, the longest of several matches may be
// missed; but a dictionary of one byte repeated is sorted in time.
const sorted = 256

func newIndex(dictionary []byte) index {
	padded := make([]byte, len(dictionary)+8)
	n := copy(padded, dictionary)
	width := max(tableBits, bits.Len(uint(n))+2) // a filter has four to eight times as many bits as there are positions
	x := index{data: padded[:n:n], padded: padded, shift: 64 - uint(width)}
	x.four, x.five, x.eight = make([]uint64, 1<<width/64), make([]uint64, 1<<width/64), make([]uint64, 1<<width/64)
	x.starts = make([]uint16, 1<<(width-perBucket)+1)
	x.order = make([]uint16, 0, n)
	for p := 0; p+4 <= n; p++ {
		v := binary.LittleEndian.Uint64(padded[p:])
		h := x.hash4(v)
		mark(x.four, h)
		if p+5 <= n {
			mark(x.five, x.hash5(v))
		}
		if p+8 <= n {
			mark(x.eight, x.hash8(v))
		}
		x.order = append(x.order, uint16(p))
	}
	bucket := func(p uint16) uint64 { return x.hash4(uint64(binary.LittleEndian.Uint32(padded[p:]))) >> perBucket }
	tail := func(p uint16) []byte { return padded[p:min(int(p)+sorted, n)] }
	slices.SortFunc(x.order, func(a, b uint16) int {
		if c := int(bucket(a)) - int(bucket(b)); c != 0 {
			return c
		}
		if c := bytes.Compare(tail(a), tail(b)); c != 0 {
			return c
		}
		return int(a) - int(b)
	})
	for _, p := range x.order {
		x.starts[bucket(p)+1]++
	}
	for b := 1; b < len(x.starts); b++ {
		x.starts[b] += x.starts[b-1]
	}
	return x
}

// The hashes are of the first four, five and eight bytes of a little-endian load: multiplicative
// (Knuth, The Art of Computer Programming, 6.4), by odd constants of which the first is 2^64 over the
// golden ratio.
func (x *index) hash4(v uint64) uint64 { return v << 32 * 0x9e3779b97f4a7c15 >> x.shift }
func (x *index) hash5(v uint64) uint64 { return v << 24 * 0x9fb21c651e98df25 >> x.shift }
func (x *index) hash8(v uint64) uint64 { return v * 0xd6e8feb86659fd93 >> x.shift }

func mark(filter []uint64, h uint64)     { filter[h>>6] |= 1 << (h & 63) }
func has(filter []uint64, h uint64) bool { return filter[h>>6]>>(h&63)&1 != 0 }

// longest returns where in the dictionary the longest match of b[i:end] begins, and its length, which is
// 0 when it is not longer than known, 3 or more. v is the little-endian load of eight bytes at b[i], and
// h their hash4; end is at least i+7, and b has eight bytes at i.
func (x *index) longest(b []byte, i, end int, v, h uint64, known int) (position, length int) {
	switch {
	case known < 4:
		if !has(x.four, h) {
			return 0, 0
		}
	case known < 7:
		if !has(x.five, x.hash5(v)) {
			return 0, 0
		}
	default:
		if !has(x.eight, x.hash8(v)) {
			return 0, 0
		}
	}
	low, high := int(x.starts[h>>perBucket]), int(x.starts[h>>perBucket+1])
	for high-low > few {
		mid := int(uint(low+high) >> 1)
		p := int(x.order[mid])
		n := common(x.data[p:], b[i:end])
		if n > known {
			position, length, known = p, n, n
		}
		if i+n < end && p+n < len(x.data) && x.data[p+n] > b[i+n] {
			high = mid
		} else {
			low = mid + 1
		}
	}
	for _, p := range x.order[low:high] {
		n := bits.TrailingZeros64(v^binary.LittleEndian.Uint64(x.padded[p:])) >> 3
		if n == 8 {
			n = common(x.data[p:], b[i:end])
		}
		if n > known {
			position, length, known = int(p), n, n
		}
	}
	return position, min(length, len(x.data)-position)
}

// common returns how many bytes a and b begin with in common.
func common(a, b []byte) int {
	n := min(len(a), len(b))
	i := 0
	for ; i+8 <= n; i += 8 {
		if d := binary.LittleEndian.Uint64(a[i:]) ^ binary.LittleEndian.Uint64(b[i:]); d != 0 {
			return i + bits.TrailingZeros64(d)>>3
		}
	}
	for i < n && a[i] == b[i] {
		i++
	}
	return i
}
