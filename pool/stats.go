package pool

import "math"

// Stats are what a pool holds now, and counters since it was made.
type Stats struct {
	Max     int    // the bound; negative: none
	Total   int    // entries; Active + Idle
	Active  int    // entries that were touched within IdleAfter, give or take an eighth: see the package's guarantees
	Idle    int    // entries that EvictIdle would remove
	Full    uint64 // calls of Add that got ErrFull
	Limited uint64 // calls of Add and Attach that got a *LimitError
	Evicted uint64 // entries removed by EvictIdle
}

// Stats counts in a time that depends on the number of shards (32 to 63 per processor), not of entries. Total is
// exact; Idle is read shard by shard, so that what others do meanwhile may be in it by half.
func (p *Pool[K, C]) Stats() Stats {
	step := p.clock()
	idle := int64(0)
	for i := range p.shards {
		s := &p.shards[i]
		s.mu.Lock()
		s.advance(step)
		idle += s.idle
		s.mu.Unlock()
	}
	total := p.total.Load()
	idle = min(idle, total)
	st := Stats{
		Max:     int(p.max),
		Total:   int(total),
		Active:  int(total - idle),
		Idle:    int(idle),
		Full:    p.full.Load(),
		Limited: p.limited.Load(),
		Evicted: p.evicted.Load(),
	}
	if p.max == math.MaxInt64 {
		st.Max = -1
	}
	return st
}
