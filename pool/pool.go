package pool

import (
	"hash/maphash"
	"math"
	"math/bits"
	"runtime"
	"sync/atomic"
	"time"
)

// Options bound a pool. The zero value works; a negative value switches the bound off.
type Options struct {
	// Max is the most entries. Default 10,000, negative: no bound.
	Max int

	// IdleAfter is how long after its Add or last Touch an entry is idle. Default one minute, negative: never.
	IdleAfter time.Duration

	// Limits are the most entries that may bear the same label, by the label's kind: {"user": 5} allows each user
	// five. A kind that is not here, or not above 0, has no limit. New copies the map.
	Limits map[string]int

	// Now is the clock behind Touch, and must be safe for concurrent use. Nil means time.Now. A clock that is
	// only read from time to time and kept makes Touch cheaper.
	Now func() time.Time
}

// Pool is a registry of connections C under keys K. Make it with New; it is safe for concurrent use.
//
// Its locks, always taken in this order: the mu of one shard, then the mu of stripes of labels, in ascending order. A
// shard's mu guards its map, its clock, and what its entries are; a stripe's guards who bears its labels. A change of an
// entry holds its shard's mu to the end, labels and total included, and all stripes it needs at once, so that nobody
// sees half of it. No lock is held while code of the caller runs, but for the
// hashing and comparing of keys; Options.Now is called before a lock is taken.
type Pool[K comparable, C any] struct {
	// Static after construction.
	max    int64
	step   time.Duration // an eighth of IdleAfter; 0: nothing is ever idle
	start  time.Time
	now    func() time.Time
	seed   maphash.Seed
	shards []shard[K, C] // a power of two of them

	labels index[K, C]

	total   atomic.Int64 // entries; written under the lock of the entry's shard, never above max
	full    atomic.Uint64
	limited atomic.Uint64
	evicted atomic.Uint64
}

// entry is one connection.
type entry[K comparable, C any] struct {
	// Static after construction.
	key  K
	conn C

	gone atomic.Bool // set when it is removed, with the shard's mu held

	// Guarded by the shard's mu.
	seen  int64         // step of the clock at the last touch
	marks []*mark[K, C] // its labels, each once
}

// New makes an empty pool. It panics if IdleAfter is above 0 and shorter than 8 ns.
func New[K comparable, C any](o Options) *Pool[K, C] {
	p := &Pool[K, C]{
		max:   10_000,
		step:  time.Minute / idleSteps,
		now:   o.Now,
		start: time.Now(),
		seed:  maphash.MakeSeed(),
	}
	switch {
	case o.Max < 0:
		p.max = math.MaxInt64
	case o.Max > 0:
		p.max = int64(o.Max)
	}
	switch {
	case o.IdleAfter < 0:
		p.step = 0
	case o.IdleAfter > 0:
		p.step = o.IdleAfter / idleSteps
		if p.step == 0 {
			panic("pool: Options.IdleAfter is too short")
		}
	}
	if p.now != nil {
		p.start = p.now()
	}
	p.labels.init(o.Limits)
	// Eight per processor: two calls at the same moment rarely meet in one.
	p.shards = make([]shard[K, C], 1<<bits.Len(uint(8*runtime.GOMAXPROCS(0)-1)))
	for i := range p.shards {
		p.shards[i].entries = make(map[K]held[K, C])
	}
	return p
}

func (p *Pool[K, C]) shard(key K) *shard[K, C] {
	return &p.shards[maphash.Comparable(p.seed, key)&uint64(len(p.shards)-1)]
}

// Add puts a connection into the pool, under its key and with labels. It counts as touched. The error is ErrDuplicate,
// a *LimitError or ErrFull, looked for in this order; the pool is then as it was. Labels given twice count once; the
// slice is not kept.
func (p *Pool[K, C]) Add(key K, conn C, labels ...Label) error {
	s, step := p.shard(key), p.clock()
	e := &entry[K, C]{key: key, conn: conn}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[key].entry != nil {
		return ErrDuplicate
	}
	if err := p.admit(e, labels); err != nil {
		return err
	}
	s.insert(e, step)
	return nil
}

// admit takes a place in the pool and for each label, or nothing. The shard's mu is held.
func (p *Pool[K, C]) admit(e *entry[K, C], labels []Label) error {
	m := p.labels.lock(labels)
	defer p.labels.unlock(m)
	if err := p.labels.check(e, labels); err != nil {
		p.limited.Add(1)
		return err
	}
	if err := p.take(); err != nil {
		return err
	}
	p.labels.attach(e, labels)
	return nil
}

// take counts one more entry. It is the last thing that can fail, so no place is ever given back unused; and it never
// counts above max, so a failing Add cannot make another one fail.
func (p *Pool[K, C]) take() error {
	for {
		n := p.total.Load()
		if n >= p.max {
			p.full.Add(1)
			return ErrFull
		}
		if p.total.CompareAndSwap(n, n+1) {
			return nil
		}
	}
}

// Get finds a connection.
func (p *Pool[K, C]) Get(key K) (conn C, ok bool) {
	s := p.shard(key)
	s.mu.RLock()
	h := s.entries[key]
	s.mu.RUnlock()
	return h.conn, h.entry != nil
}

// Remove takes a connection out, with all its labels, and says whether it was there. Of several calls for one entry, one
// is told so.
func (p *Pool[K, C]) Remove(key K) (conn C, ok bool) {
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key].entry
	if e == nil {
		return conn, false
	}
	p.drop(s, e)
	return e.conn, true
}

// drop takes an entry out. The shard's mu is held.
func (p *Pool[K, C]) drop(s *shard[K, C], e *entry[K, C]) {
	s.delete(e)
	p.labels.clear(e)
	p.total.Add(-1)
}

// Touch notes a sign of life and says whether the key is in the pool. It shares its shard's lock with others, but for
// the first time in each eighth of IdleAfter.
func (p *Pool[K, C]) Touch(key K) bool {
	s, step := p.shard(key), p.clock()
	s.mu.RLock()
	e := s.entries[key].entry
	fresh := e != nil && e.seen >= max(step, s.step)
	s.mu.RUnlock()
	if e == nil || fresh {
		return e != nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e = s.entries[key].entry // another one, by now
	if e == nil {
		return false
	}
	s.touch(e, step)
	return true
}
