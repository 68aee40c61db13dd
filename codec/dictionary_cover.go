package codec

import (
	"container/heap"
	"encoding/binary"
)

// gram is how many bytes in a row must occur in several samples to count as something in common. LZ4
// could use four, but what is that short is found by chance too.
const gram = 8

// cover collects at most size bytes that many samples have in common, after COVER (Liao, Petri, Moffat
// and Wirth, "Effective Construction of Relative Lempel-Ziv Dictionaries", 2016): again and again the part
// that covers most of what is not covered yet. Parts are not of one length, as they are there, but as
// long as they are common.
func cover(samples [][]byte, size int) (text []byte) {
	c := newCoverage(samples)
	queue := c.parts(samples)
	heap.Init(&queue)
	for len(queue) > 0 && len(text) < size {
		best := &queue[0]
		switch now := c.score(best.text); {
		case now == 0:
			heap.Pop(&queue)
		case now < best.score: // something else covers some of it by now
			best.score = now
			heap.Fix(&queue, 0)
		default:
			new := c.take(best.text)
			text = append(text, new[:min(len(new), size-len(text))]...)
		}
	}
	return text
}

// coverage knows in how many samples each gram occurs, and 0 for a gram that is covered. It is a table by
// the gram's hash: two grams seldom share a place, and then one of them is missed.
type coverage struct {
	counts [1 << 20]uint32
	stamps [1 << 20]uint32 // the last sample that was counted
}

func place(gram []byte) uint64 { return binary.LittleEndian.Uint64(gram) * 0x9e3779b97f4a7c15 >> 44 }

func newCoverage(samples [][]byte) *coverage {
	c := new(coverage)
	for i, sample := range samples {
		for p := 0; p+gram <= len(sample); p++ {
			if at := place(sample[p:]); c.stamps[at] != uint32(i+1) {
				c.stamps[at] = uint32(i + 1)
				c.counts[at]++
			}
		}
	}
	return c
}

// parts returns every part of a sample whose grams are all common, once.
func (c *coverage) parts(samples [][]byte) (all parts) {
	least := uint32(max(2, len(samples)/500))
	const longest = 256 // more would be cut off in the middle of nowhere
	seen := map[string]bool{}
	for _, sample := range samples {
		from := 0
		for p := 0; p+gram <= len(sample)+1; p++ {
			if p+gram <= len(sample) && c.counts[place(sample[p:])] >= least && p-from < longest {
				continue
			}
			if text := sample[from : p+gram-1]; p > from && !seen[string(text)] {
				seen[string(text)] = true
				all = append(all, part{text, c.score(text)})
			}
			from = p + 1
		}
	}
	return all
}

// score adds up in how many samples each gram of text occurs that is not covered.
func (c *coverage) score(text []byte) (n int) {
	for p := 0; p+gram <= len(text); p++ {
		n += int(c.counts[place(text[p:])])
	}
	return n
}

// take returns text without what is covered at its ends, and covers it.
func (c *coverage) take(text []byte) []byte {
	for c.counts[place(text)] == 0 {
		text = text[1:]
	}
	for c.counts[place(text[len(text)-gram:])] == 0 {
		text = text[:len(text)-1]
	}
	for p := 0; p+gram <= len(text); p++ {
		c.counts[place(text[p:])] = 0
	}
	return text
}

// part is something that samples have in common.
type part struct {
	text  []byte
	score int
}

// parts is a heap with the highest score on top. Of equals the text decides, so that the same samples
// give the same dictionary.
type parts []part

func (p parts) Len() int      { return len(p) }
func (p parts) Swap(i, j int) { p[i], p[j] = p[j], p[i] }
func (p parts) Push(any)      { panic("nothing is pushed") }
func (p parts) Less(i, j int) bool {
	return p[i].score > p[j].score || p[i].score == p[j].score && string(p[i].text) < string(p[j].text)
}

func (p *parts) Pop() any {
	*p = (*p)[:len(*p)-1]
	return nil
}
