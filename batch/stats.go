package batch

import "math/bits"

// Stats are counters since the batcher was made, and what it holds now. Queued + Processed + Failed is the number of
// items that were ever added.
type Stats struct {
	Queued    int    // items held now: waiting, being flushed, being retried, being given to OnError
	Waiting   int    // calls of Add that wait for room now
	Keys      int    // keys remembered now
	Processed uint64 // items whose flush returned nil
	Failed    uint64 // items given to OnError
	Flushes   uint64 // batches for which flush was called, however often
	Retries   uint64 // calls of flush beyond the first for a batch

	// Sizes counts the Flushes by their number of items: Sizes[i] those of 2^i to 2^(i+1)-1, the last one also all
	// larger ones.
	Sizes [16]uint64
}

// Stats counts in constant time. The figures are of one moment.
func (k *Keyed[K, T]) Stats() Stats {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.stats
	s.Queued = k.items.held
	s.Waiting = k.waiters.count
	s.Keys = len(k.queues)
	return s
}

// count notes a call of flush that has ended, for n items and after so many earlier tries.
func (s *Stats) count(n, tries int) {
	if tries > 0 {
		s.Retries++
		return
	}
	s.Flushes++
	s.Sizes[min(bits.Len(uint(n))-1, len(s.Sizes)-1)]++
}
