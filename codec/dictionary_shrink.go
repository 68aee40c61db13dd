package codec

import (
	"encoding/binary"
	"slices"
)

// shrink returns at most size bytes of text: those that the samples refer to most, when they are
// compressed with text and others. It drops a quarter at a time, because what is dropped changes what the
// rest is good for.
func shrink(text, others []byte, samples [][]byte, size int) []byte {
	for len(text) > size {
		d := &Dictionary{index: newIndex(slices.Concat(text, others))}
		d.data = d.index.data
		text = mostUsed(text, d.uses(samples), max(size, len(text)*3/4))
	}
	return text
}

// mostUsed returns the bytes of text with the most uses, at most size of them and fewer where many have
// equally many, in runs that a match can refer to.
func mostUsed(text []byte, uses []int, size int) []byte {
	ranked := slices.Sorted(slices.Values(uses[:len(text)]))
	least := ranked[len(text)-size-1] + 1
	var kept []byte
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && uses[i] >= least {
			i++
		}
		if i-from >= leastMatch {
			kept = append(kept, text[from:i]...)
		}
	}
	if len(kept) == 0 {
		return text[:size]
	}
	return kept
}

// uses compresses the samples, and returns how often each byte of the dictionary was referred to.
func (d *Dictionary) uses(samples [][]byte) []int {
	uses := make([]int, len(d.data)+1) // first the changes from one byte to the next
	var block []byte
	for _, sample := range samples {
		block = slices.Grow(block[:0], len(sample))[:len(sample)]
		for at, rest := 0, block[:d.compress(block, sample)]; len(rest) > 0; {
			literals, length := int(rest[0]>>4), int(rest[0]&15)
			literals, rest = extended(literals, rest[1:])
			at, rest = at+literals, rest[literals:]
			if len(rest) == 0 {
				break // the last sequence has no match
			}
			from := len(d.data) + at - int(binary.LittleEndian.Uint16(rest))
			length, rest = extended(length, rest[2:])
			length += leastMatch
			if from < len(d.data) {
				uses[from]++
				uses[min(from+length, len(d.data))]--
			}
			at += length
		}
	}
	for i := 1; i < len(uses); i++ {
		uses[i] += uses[i-1]
	}
	return uses[:len(d.data)]
}

// extended reads what of n its token had no room for: the other way round from extend.
func extended(n int, rest []byte) (int, []byte) {
	for more := n == 15; more; rest = rest[1:] {
		n += int(rest[0])
		more = rest[0] == 255
	}
	return n, rest
}
