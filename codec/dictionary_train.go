package codec

import "fmt"

// TrainDictionary makes a dictionary of at most size bytes from samples: bodies in MessagePack, as they
// will be compressed, some thousands of them and of every kind in about the proportion in which they are
// sent. Leave others out to judge the dictionary by. A size that is not 1 to [MaxDictionary], and samples
// that have nothing in common, are [ErrDictionary]. Equal samples give equal bytes. It takes seconds, and
// keeps no reference to the samples.
//
// It collects what many samples have in common, about five times what there is room for; then it
// compresses the samples, again and again, and drops the bytes that were referred to least. Where the
// samples become smaller with them, 10,003 bytes are spent on a sequence of digits that holds every
// four in a row: ids are digits, and otherwise LZ4 finds nothing in them.
func TrainDictionary(id string, samples [][]byte, size int) (*Dictionary, error) {
	if size < 1 || size > MaxDictionary {
		return nil, fmt.Errorf("%w: of %d bytes", ErrDictionary, size)
	}
	var best *Dictionary
	least := 0
	for _, digits := range [][]byte{nil, everyFourDigits()} {
		room := size - len(digits)
		if room < leastMatch {
			continue
		}
		text := shrink(cover(samples, min(5*room, MaxDictionary-len(digits))), digits, samples, room)
		if len(text) == 0 {
			return nil, fmt.Errorf("%w: %d samples have nothing in common", ErrDictionary, len(samples))
		}
		d, err := NewDictionary(id, append(text, digits...))
		if err != nil {
			return nil, err
		}
		if total := d.total(samples); best == nil || total < least {
			best, least = d, total
		}
	}
	if best == nil {
		return nil, fmt.Errorf("%w: of %d bytes", ErrDictionary, size)
	}
	return best, nil
}

// total is how many bytes the samples take, each compressed alone.
func (d *Dictionary) total(samples [][]byte) (n int) {
	var dst []byte
	for _, sample := range samples {
		dst = d.AppendLZ4(dst[:0], sample)
		n += len(dst)
	}
	return n
}

// everyFourDigits is a De Bruijn sequence of order 4 over the ten digits, unrolled to 10,003 bytes. It is
// built greedily, the highest digit first that gives four digits not yet seen (Martin, "A problem in
// arrangements", 1934).
func everyFourDigits() []byte {
	seen := make([]bool, 10_000)
	seen[0] = true
	s, last := []byte("0000"), 0
	for found := true; found; {
		found = false
		for digit := 9; digit >= 0 && !found; digit-- {
			if next := last%1000*10 + digit; !seen[next] {
				seen[next], found, last = true, true, next
				s = append(s, byte('0'+digit))
			}
		}
	}
	return s
}
