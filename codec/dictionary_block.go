package codec

import (
	"encoding/binary"
	"math"
	"math/bits"
	"slices"
	"sync"

	"github.com/pierrec/lz4/v4"
)

// compressFromWith is the size from which a body is worth compressing against a dictionary.
const compressFromWith = 32

// AppendLZ4 is [AppendLZ4] against this dictionary. A body is compressed from 32 bytes up, the length in
// front of the block takes its shortest form, and a body that does not shrink stays as it is. A body of
// 64 KB or more is compressed without the dictionary, and is read all the same.
func (d *Dictionary) AppendLZ4(dst, body []byte) []byte {
	const room = 6 + 5 // the longest extension head and length
	if len(body) < compressFromWith || len(body) > math.MaxInt32 {
		return append(dst, body...)
	}
	start := len(dst)
	dst = slices.Grow(dst, room+len(body))
	block := dst[start+room : start+room+len(body)]
	n := d.compress(block, body)
	if n == 0 {
		return append(dst, body...)
	}
	var length [5]byte
	size := appendUint(length[:0], uint64(len(body)))
	dst = appendExtHead(dst, len(size)+n, extBlock)
	dst = append(append(dst, size...), block[:n]...) // moves down when the head is shorter than its room
	if len(dst)-start >= len(body) {
		return append(dst[:start], body...)
	}
	return dst
}

// compress writes body as one block, and returns its length, or 0 when it does not fit.
func (d *Dictionary) compress(block, body []byte) int {
	if len(body) > math.MaxUint16 {
		n, err := lz4.CompressBlock(body, block, nil)
		if err != nil {
			return 0
		}
		return n
	}
	c := compressors.Get().(*compressor)
	c.index, c.body = &d.index, body
	n := c.block(block)
	c.index, c.body = nil, nil
	compressors.Put(c)
	return n
}

// What the LZ4 block format asks for (lz4_Block_format.md, "End of block conditions"): the last match begins
// twelve bytes before the end or earlier, and the last five bytes are literals.
const (
	leastMatch   = 4
	lastLiterals = 5
	lastMatch    = 12
)

// enough is a match after which no better one is looked for a byte further on. It also bounds the work
// on bodies made to be slow.
const enough = 16

// tableBits is the most bits of a hash of the body's own table; a short body uses fewer, and has less to clear.
const tableBits = 13

// compressor is the work on one block: greedy, with one step of lazy matching, over the dictionary's
// index and a hash table of what the body itself has had.
type compressor struct {
	index *index
	body  []byte
	shift uint                   // how many bits of the index's hash the table leaves out
	table [1 << tableBits]uint16 // where four bytes with that hash were last seen
}

var compressors = sync.Pool{New: func() any { return new(compressor) }}

type match struct{ offset, length int }

// block writes the body to dst as one block, and returns its length, or 0 when it does not fit.
func (c *compressor) block(dst []byte) int {
	body := c.body
	width := min(max(8, bits.Len(uint(len(body)))), tableBits)
	c.shift = 64 - c.index.shift - uint(width)
	clear(c.table[:1<<width])

	out, anchor := 0, 0
	for i := 0; i <= len(body)-lastMatch; {
		m := c.find(i, leastMatch-1)
		if m.length == 0 {
			i++
			continue
		}
		for m.length < enough && i < len(body)-lastMatch {
			better := c.find(i+1, m.length)
			if better.length == 0 {
				break
			}
			i, m = i+1, better
		}
		if out = sequence(dst, out, body[anchor:i], m); out < 0 {
			return 0
		}
		if m.length < enough || m.offset <= i { // what is long in the dictionary will be found there again
			c.remember(i+1, i+m.length)
		}
		i += m.length
		anchor = i
	}
	return last(dst, out, body[anchor:])
}

// find returns the longest match at i if it is longer than known, and remembers i.
func (c *compressor) find(i, known int) (m match) {
	body := c.body
	end := len(body) - lastLiterals
	v := binary.LittleEndian.Uint64(body[i:])
	h := c.index.hash4(v)
	place := &c.table[h>>c.shift&(1<<tableBits-1)]
	before := int(*place)
	*place = uint16(i)
	if position, n := c.index.longest(body, i, end, v, h, known); n > known {
		if offset := len(c.index.data) - position + i; offset <= math.MaxUint16 {
			m, known = match{offset, n}, n
		}
	}
	if before < i && binary.LittleEndian.Uint32(body[before:]) == uint32(v) {
		if n := common(body[before:end], body[i:end]); n > known {
			m = match{i - before, n}
		}
	}
	return m
}

// remember puts positions into the table that nothing was looked for at.
func (c *compressor) remember(i, end int) {
	x, shift := c.index, c.shift
	for end = min(end, len(c.body)-lastMatch); i < end; i++ {
		c.table[x.hash4(uint64(binary.LittleEndian.Uint32(c.body[i:])))>>shift&(1<<tableBits-1)] = uint16(i)
	}
}

// sequence writes literals and a match at dst[out:], and returns where they end, or -1.
func sequence(dst []byte, out int, literals []byte, m match) int {
	n := m.length - leastMatch
	if out+len(literals)+len(literals)/255+n/255+5 > len(dst) {
		return -1
	}
	token := out
	dst[token] = byte(min(len(literals), 15)<<4 | min(n, 15))
	out = extend(dst, out+1, len(literals))
	out += copy(dst[out:], literals)
	binary.LittleEndian.PutUint16(dst[out:], uint16(m.offset))
	return extend(dst, out+2, n)
}

// last writes the literals that end a block, and returns its length, or 0.
func last(dst []byte, out int, literals []byte) int {
	if out+len(literals)+len(literals)/255+2 > len(dst) {
		return 0
	}
	dst[out] = byte(min(len(literals), 15) << 4)
	out = extend(dst, out+1, len(literals))
	return out + copy(dst[out:], literals)
}

// extend writes what of n a token has no room for.
func extend(dst []byte, out, n int) int {
	if n < 15 {
		return out
	}
	for n -= 15; n >= 255; n -= 255 {
		dst[out] = 255
		out++
	}
	dst[out] = byte(n)
	return out + 1
}
