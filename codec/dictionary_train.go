package codec

import (
	"container/heap"
	"encoding/binary"
	"fmt"
	"slices"
)

// gram is how many bytes a repetition must have to count when a dictionary is trained.
var gram = 8

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
	h := uint64(14695981039346656037)
	for _, c := range b[:gram] {
		h = (h ^ uint64(c)) * 1099511628211
	}
	return uint32(h * 0x9e3779b97f4a7c15 >> 44)
}

// stretch is a part of a sample whose every gram is common.
type stretch struct {
	text  string
	score int // what it covers that nothing before it does
}

// stretches is a heap, with the one that covers most on top, and of equals the one that came first.
type stretches []stretch

func (s stretches) Len() int      { return len(s) }
func (s stretches) Swap(i, j int) { s[i], s[j] = s[j], s[i] }
func (s stretches) Push(any)      { panic("nothing is pushed") }
func (s stretches) Less(i, j int) bool {
	return s[i].score > s[j].score || s[i].score == s[j].score && s[i].text < s[j].text
}

func (s *stretches) Pop() any {
	*s = (*s)[:len(*s)-1]
	return nil
}

// stretches returns every stretch once, in the order of the samples.
func (t *trainer) stretches() (all []stretch) {
	least := uint32(max(3, len(t.samples)/leastX))
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
	text := t.cover(min(MaxDictionary-len(others), startX))
	for len(text) > size {
		d, _ := NewDictionary("draft", append(text[:len(text):len(text)], others...))
		used := d.used(t.samples)
		text = most(text, used, max(size, len(text)*shrinkX/100))
	}
	return text
}

var startX, shrinkX, leastX, gramX = 65536, 75, 500, 8

// most returns the bytes of text that are used most, at most size of them.
func most(text []byte, used []int, size int) []byte {
	counts := slices.Sorted(slices.Values(used[:len(text)]))
	least := counts[len(text)-size-1] + 1
	var kept []byte
	for i := 0; i < len(text); i++ {
		from := i
		for i < len(text) && used[i] >= least {
			i++
		}
		if i-from >= leastMatch {
			kept = append(kept, text[from:i]...)
		}
	}
	return kept
}

// used compresses the samples and returns how often each byte of the dictionary was referred to.
func (d *Dictionary) used(samples [][]byte) []int {
	used := make([]int, len(d.data)+1)
	var dst []byte
	for _, sample := range samples {
		dst = slices.Grow(dst[:0], len(sample))
		at := 0 // in the sample
		for block := dst[:d.compress(dst[:len(sample)], sample)]; len(block) > 0; {
			literals, match := int(block[0]>>4), int(block[0]&15)
			block = block[1:]
			literals, block = extended(literals, block)
			at += literals
			block = block[literals:]
			if len(block) == 0 {
				break
			}
			offset := int(binary.LittleEndian.Uint16(block))
			match, block = extended(match, block[2:])
			if from := len(d.data) + at - offset; from < len(d.data) {
				used[from]++
				used[min(from+match+leastMatch, len(d.data))]--
			}
			at += match + leastMatch
		}
	}
	for i := 1; i < len(used); i++ {
		used[i] += used[i-1]
	}
	return used
}

// extended reads what of a length a token had no room for.
func extended(n int, block []byte) (int, []byte) {
	for more := n == 15; more; block = block[1:] {
		n += int(block[0])
		more = block[0] == 255
	}
	return n, block
}

// cover picks, again and again, the stretch that covers most, until there are size bytes.
func (t *trainer) cover(size int) (text []byte) {
	all := t.stretches()
	for i := range all {
		all[i].score = t.score(all[i].text)
	}
	queue := stretches(all)
	heap.Init(&queue)
	for size > 0 && len(queue) > 0 {
		best := &queue[0]
		if now := t.score(best.text); now == 0 {
			heap.Pop(&queue)
			continue
		} else if now < best.score { // what it covered has been covered since
			best.score = now
			heap.Fix(&queue, 0)
			continue
		}
		part := t.trim(best.text)
		for p := 0; p+gram <= len(part); p++ {
			t.counts[gramHash([]byte(part[p:p+gram]))] = 0
		}
		text = append(text, part[:min(len(part), size)]...)
		size -= min(len(part), size)
	}
	return text
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
