package pool

import (
	"sync"
	"sync/atomic"
	"time"
)

// idleSteps is into how many steps IdleAfter is divided. The clock of the pool counts these steps; an entry is idle
// when more than idleSteps lie between the one of its last touch and the present one, which is after IdleAfter at the
// earliest and one step later at the latest.
const idleSteps = 8

// shard holds the entries of some keys. It counts them by the step in which they were last touched: touching moves
// one from count to count, and time moves a whole count to idle, so that nobody has to look at all entries.
type shard[K comparable, C any] struct {
	// Written with mu held, read without.
	changes atomic.Uint64             // odd while an entry comes or goes, with all that belongs to it
	entries table[K, connected[K, C]] // the map of the shard
	step    atomic.Int64              // the latest that was seen

	mu sync.Mutex

	// Guarded by mu.
	recent [idleSteps + 1]int64 // entries last touched in step i, at i modulo the length, for the steps that are not idle
	idle   int64                // entries last touched before those

	_ [64]byte // no cache line is part of two shards
}

// entry is one connection, under its key.
type entry[K comparable, C any] = item[K, connected[K, C]]

// connected is what an entry says of its key.
type connected[K comparable, C any] struct {
	conn C // static

	// Guarded by the shard's mu; seen is also read without.
	seen  atomic.Int64 // step of the clock at the last touch; gone once it is removed
	marks *mark[K, C]  // its labels, each once, the latest first
}

const gone = -1

func (c *connected[K, C]) isGone() bool { return c.seen.Load() == gone }

// find looks an entry up without a lock, and again with it if an entry came or went meanwhile: so it sees none of the
// shard's changes by half, like everyone who takes the lock.
func (s *shard[K, C]) find(hash uint64, key K) *entry[K, C] {
	if n := s.changes.Load(); n%2 == 0 {
		e := s.entries.get(hash, key)
		if s.changes.Load() == n {
			return e
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.get(hash, key)
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

// advance moves the shard's time on to step; time never moves back. s.mu is held.
func (s *shard[K, C]) advance(step int64) {
	now := s.step.Load()
	if step <= now {
		return
	}
	for n := min(step-now, int64(len(s.recent))); n > 0; n-- {
		now++
		slot := s.slot(now)
		s.idle += *slot
		*slot = 0
	}
	s.step.Store(step)
}

func (s *shard[K, C]) slot(step int64) *int64 { return &s.recent[step%int64(len(s.recent))] }

func (s *shard[K, C]) isIdle(e *entry[K, C]) bool { return s.step.Load()-e.val.seen.Load() > idleSteps }

// counter is where an entry is counted.
func (s *shard[K, C]) counter(e *entry[K, C]) *int64 {
	if s.isIdle(e) {
		return &s.idle
	}
	return s.slot(e.val.seen.Load())
}

// insert, delete and touch keep the counters true. s.mu is held; for insert and delete, changes is odd.
func (s *shard[K, C]) insert(hash uint64, e *entry[K, C], step int64) {
	s.advance(step)
	e.val.seen.Store(s.step.Load())
	s.entries.put(hash, e)
	*s.counter(e)++
}

func (s *shard[K, C]) delete(hash uint64, e *entry[K, C]) {
	s.entries.cut(hash, e)
	*s.counter(e)--
	e.val.seen.Store(gone)
}

func (s *shard[K, C]) touch(e *entry[K, C], step int64) {
	s.advance(step)
	*s.counter(e)--
	e.val.seen.Store(s.step.Load())
	*s.counter(e)++
}
