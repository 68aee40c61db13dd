package pool

import (
	"sync"
	"time"
)

// idleSteps is into how many steps IdleAfter is divided. The clock of the pool counts these steps; an entry is idle
// when more than idleSteps lie between the one of its last touch and the present one, which is after IdleAfter at the
// earliest and one step later at the latest.
const idleSteps = 8

// shard holds the entries of some keys. It counts them by the step in which they were last touched: touching moves
// one from count to count, and time moves a whole count to idle, so that nobody has to look at all entries.
type shard[K comparable, C any] struct {
	mu sync.RWMutex

	// Guarded by mu.
	entries map[K]held[K, C]
	step    int64                // the latest that was seen
	recent  [idleSteps + 1]int64 // entries last touched in step i, at i modulo the length, for the steps that are not idle
	idle    int64                // entries last touched before those

	_ [64]byte // no cache line is part of two shards
}

// held is an entry with its connection beside it, so that Get need not follow the pointer into cold memory.
type held[K comparable, C any] struct {
	conn  C
	entry *entry[K, C]
}

// clock tells the present step.
func (p *Pool[K, C]) clock() int64 {
	switch {
	case p.step == 0:
		return 0
	case p.now != nil:
		return int64(p.now().Sub(p.start) / p.step)
	}
	return int64(time.Since(p.start) / p.step)
}

// advance moves the shard's time on to step; time never moves back. s.mu is held for writing.
func (s *shard[K, C]) advance(step int64) {
	for n := min(step-s.step, int64(len(s.recent))); n > 0; n-- {
		s.step++
		slot := s.slot(s.step)
		s.idle += *slot
		*slot = 0
	}
	s.step = max(s.step, step)
}

func (s *shard[K, C]) slot(step int64) *int64 { return &s.recent[step%int64(len(s.recent))] }

func (s *shard[K, C]) isIdle(e *entry[K, C]) bool { return s.step-e.seen > idleSteps }

// counter is where an entry is counted.
func (s *shard[K, C]) counter(e *entry[K, C]) *int64 {
	if s.isIdle(e) {
		return &s.idle
	}
	return s.slot(e.seen)
}

// insert, delete and touch keep the counters true. s.mu is held for writing.
func (s *shard[K, C]) insert(e *entry[K, C], step int64) {
	s.advance(step)
	e.seen = s.step
	s.entries[e.key] = held[K, C]{e.conn, e}
	*s.counter(e)++
}

func (s *shard[K, C]) delete(e *entry[K, C]) {
	delete(s.entries, e.key)
	*s.counter(e)--
	e.gone.Store(true)
}

func (s *shard[K, C]) touch(e *entry[K, C], step int64) {
	s.advance(step)
	*s.counter(e)--
	e.seen = s.step
	*s.counter(e)++
}
