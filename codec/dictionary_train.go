package codec

import (
	"cmp"
	"fmt"
	"slices"
)

// gram is how many bytes a repetition must have to count when a dictionary is trained.
const gram = 6

// TrainDictionary makes a dictionary of at most size bytes from samples: bodies in MessagePack, as they
// will be compressed, some thousands of them and of every kind in about the proportion in which they are
// sent. Leave some out to judge the dictionary by. Equal samples give equal bytes. A size that is not 1 to
// [MaxDictionary], or samples without anything in common, are [ErrDictionary]. Samples of 2 MB take
// about a second.
//
// It picks what most samples have in common, after COVER (Liao, Petri, Moffat and Wirth, "Effective
// Construction of Relative Lempel-Ziv Dictionaries", 2016), but in stretches as long as they are common;
// then it compresses the samples and keeps the stretches that saved most. Where it pays, 10,003 bytes
// are a sequence that holds every four digits there are, because ids are digits.
func TrainDictionary(id string, samples [][]byte, size int) (*Dictionary, error) {
	if size < 1 || size > MaxDictionary {
		return nil, fmt.Errorf("%w: of %d bytes", ErrDictionary, size)
	}
	best, least := (*Dictionary)(nil), 0
	for _, digits := range [][]byte{nil, everyFourDigits()} {
		if len(digits) >= size {
			continue
		}
		text := newTrainer(samples).train(size-len(digits), digits)
		d, err := NewDictionary(id, append(text, digits...))
		if err != nil {
			return nil, err
		}
		if total := d.total(samples); best == nil || total < least {
			best, least = d, total
		}
	}
	return best, nil
}

// total is how many bytes the samples take, compressed each alone.
func (d *Dictionary) total(samples [][]byte) (n int) {
	var dst []byte
	for _, sample := range samples {
		dst = d.AppendLZ4(dst[:0], sample)
		n += len(dst)
	}
	return n
}

// trainer counts in how many samples each gram occurs, in a table by the gram's hash: that two share a
// place is rare, and costs little.
type trainer struct {
	samples [][]byte
	counts  [1 << 20]uint32
	stamps  [1 << 20]uint32 // the last sample that was counted
}

func newTrainer(samples [][]byte) *trainer {
	t := &trainer{samples: samples}
	for i, sample := range samples {
		for p := 0; p+gram <= len(sample); p++ {
			if h := gramHash(sample[p:]); t.stamps[h] != uint32(i+1) {
				t.stamps[h] = uint32(i + 1)
				t.counts[h]++
			}
		}
	}
	return t
}

func gramHash(b []byte) uint32 {
	v := uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16 | uint64(b[3])<<24 | uint64(b[4])<<32 | uint64(b[5])<<40
	return uint32(v * 0x9e3779b97f4a7c15 >> 44)
}

// stretch is a part of a sample whose every gram is common.
type stretch struct {
	text  string
	score int // what it covers that nothing before it does
}

// stretches returns every stretch once, in the order of the samples.
func (t *trainer) stretches() (all []stretch) {
	least := uint32(max(3, len(t.samples)/500))
	seen := map[string]bool{}
	for _, sample := range t.samples {
		from := 0
		for p := 0; p+gram <= len(sample)+1; p++ {
			if p+gram <= len(sample) && t.counts[gramHash(sample[p:])] >= least && p-from < 256 {
				continue
			}
			if text := sample[from : p+gram-1]; p > from && !seen[string(text)] {
				seen[string(text)] = true
				all = append(all, stretch{text: string(text)})
			}
			from = p + 1
		}
	}
	return all
}

// score adds up in how many samples the uncovered grams of the text occur.
func (t *trainer) score(text string) (n int) {
	for p := 0; p+gram <= len(text); p++ {
		n += int(t.counts[gramHash([]byte(text[p:p+gram]))])
	}
	return n
}

// train returns at most size bytes that go well with others.
func (t *trainer) train(size int, others []byte) []byte {
	parts := t.cover(2 * size)
	parts = t.keep(parts, others, size)
	var text []byte
	for _, p := range parts {
		text = append(text, p...)
	}
	return text
}

// cover picks, again and again, the stretch that covers most, until there are size bytes.
func (t *trainer) cover(size int) (parts []string) {
	all := t.stretches()
	for i := range all {
		all[i].score = t.score(all[i].text)
	}
	heap := all
	slices.SortStableFunc(heap, func(a, b stretch) int { return cmp.Compare(b.score, a.score) })
	for size > 0 && len(heap) > 0 {
		s := heap[0]
		heap = heap[1:]
		now := t.score(s.text)
		if now < s.score && now > 0 { // what it covered has been covered since: back into the order
			s.score = now
			at, _ := slices.BinarySearchFunc(heap, s, func(a, b stretch) int { return cmp.Compare(b.score, a.score) })
			heap = slices.Insert(heap, at, s)
			continue
		}
		if now == 0 {
			continue
		}
		text := t.trim(s.text)
		for p := 0; p+gram <= len(text); p++ {
			t.counts[gramHash([]byte(text[p:p+gram]))] = 0
		}
		parts = append(parts, text)
		size -= len(text)
	}
	return parts
}

// trim cuts off both ends what is covered already.
func (t *trainer) trim(text string) string {
	for len(text) >= gram && t.counts[gramHash([]byte(text[:gram]))] == 0 {
		text = text[1:]
	}
	for len(text) >= gram && t.counts[gramHash([]byte(text[len(text)-gram:]))] == 0 {
		text = text[:len(text)-1]
	}
	return text
}

func (t *trainer) keep(parts []string, others []byte, size int) []string {
	n := 0
	for i, p := range parts {
		if n += len(p); n > size {
			return parts[:i]
		}
	}
	return parts
}

// everyFourDigits is a De Bruijn sequence of order 4 over the ten digits, by the "prefer the highest"
// rule (Martin, 1934), unrolled: 10,003 bytes.
func everyFourDigits() []byte {
	seen := make([]bool, 10_000)
	s := []byte("0000")
	seen[0] = true
next:
	for {
		n := len(s)
		last := int(s[n-3]-'0')*1000 + int(s[n-2]-'0')*100 + int(s[n-1]-'0')*10
		for d := 9; d >= 0; d-- {
			if !seen[last+d] {
				seen[last+d] = true
				s = append(s, byte('0'+d))
				continue next
			}
		}
		return s
	}
}
