package histogram

import (
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram is log-linear: every power of two of nanoseconds is cut into 16
// buckets of equal width, so that a bucket is at most 1/16 as wide as where it
// begins, and its middle at most 1/32 (3.1 %) off. It begins at 1.02 µs, with
// one bucket for all below, and ends at 137 s, with one for all above.
const (
	subBits  = 4
	firstExp = 10 // 2^10 ns
	lastExp  = 37 // 2^37 ns
	buckets  = (lastExp-firstExp)<<subBits + 2
)

// index is the bucket of a duration.
func index(d time.Duration) int {
	if d < 1<<firstExp {
		return 0
	}
	if d >= 1<<lastExp {
		return buckets - 1
	}
	exp := bits.Len64(uint64(d)) - 1
	sub := int(d>>(exp-subBits)) & (1<<subBits - 1)
	return 1 + (exp-firstExp)<<subBits + sub
}

// bounds are where a bucket begins and where the next one does.
func bounds(i int) (from, to time.Duration) {
	switch i {
	case 0:
		return 0, 1 << firstExp
	case buckets - 1:
		return 1 << lastExp, 1 << lastExp
	}
	exp, sub := firstExp+(i-1)>>subBits, time.Duration(i-1)&(1<<subBits-1)
	width := time.Duration(1) << (exp - subBits)
	from = (1<<subBits + sub) * width
	return from, from + width
}

// counts is one set of buckets, 3.5 KB.
type counts struct {
	sum     atomic.Int64 // nanoseconds
	buckets [buckets]atomic.Uint64
}

func (c *counts) observe(d time.Duration) {
	c.buckets[index(d)].Add(1)
	c.sum.Add(int64(d))
}

// moveTo leaves c clear and loses nothing: what is observed meanwhile goes
// along or stays.
func (c *counts) moveTo(to *counts) {
	for i := range c.buckets {
		if c.buckets[i].Load() != 0 {
			to.buckets[i].Add(c.buckets[i].Swap(0))
		}
	}
	to.sum.Add(c.sum.Swap(0))
}

func (c *counts) addTo(s *Snapshot) {
	for i := range c.buckets {
		n := c.buckets[i].Load()
		s.buckets[i] += n
		s.Count += n
	}
	s.Sum += time.Duration(c.sum.Load())
}
