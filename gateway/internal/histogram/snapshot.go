package histogram

import (
	"math"
	"time"
)

// Snapshot is what a Histogram had counted at one time. What was being observed
// just then may be in Count and not yet in Sum, or the other way round.
type Snapshot struct {
	Count   uint64
	Sum     time.Duration
	buckets [buckets]uint64
}

// Mean is the exact mean, or 0 of nothing.
func (s *Snapshot) Mean() time.Duration {
	if s.Count == 0 {
		return 0
	}
	return s.Sum / time.Duration(s.Count)
}

// Quantile is the smallest duration that a share q of all, from 0 to 1, does
// not exceed: within 3.2 % from 1 µs to 137 s, 0.5 µs for all that is below and
// 137 s for all that is above. Of nothing it is 0.
func (s *Snapshot) Quantile(q float64) time.Duration {
	if s.Count == 0 {
		return 0
	}
	rank := uint64(math.Ceil(min(max(q, 0), 1) * float64(s.Count)))
	rank = min(max(rank, 1), s.Count)
	for i, n := range s.buckets {
		if n >= rank {
			from, to := bounds(i)
			return from + (to-from)/2
		}
		rank -= n
	}
	return 0 // not reached: the buckets add up to Count
}

// Below is how many were shorter than d, those not counted that share its
// bucket: what a cumulative bucket of Prometheus wants.
func (s *Snapshot) Below(d time.Duration) (n uint64) {
	for _, in := range s.buckets[:index(max(d, 0))] {
		n += in
	}
	return n
}
