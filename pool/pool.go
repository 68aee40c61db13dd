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
	shift  int           // which bits of a hash choose the shard: those above it

	labels index[K, C]

	total   atomic.Int64 // entries; written under the lock of the entry's shard, never above max
	full    atomic.Uint64
	limited atomic.Uint64
	evicted atomic.Uint64
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
	n := bits.Len(uint(8*runtime.GOMAXPROCS(0) - 1))
	p.shards, p.shift = make([]shard[K, C], 1<<n), 64-n
	return p
}

func (p *Pool[K, C]) hash(key K) uint64 { return maphash.Comparable(p.seed, key) }

// shard is that of a key with this hash.
func (p *Pool[K, C]) shard(hash uint64) *shard[K, C] { return &p.shards[hash>>p.shift] }

// Add puts a connection into the pool, under its key and with labels. It counts as touched. The error is ErrDuplicate,
// a *LimitError or ErrFull, looked for in this order; the pool is then as it was. Labels given twice count once; the
// slice is not kept.
func (p *Pool[K, C]) Add(key K, conn C, labels ...Label) error {
	hash, step := p.hash(key), p.clock()
	s := p.shard(hash)
	e := &entry[K, C]{key: key}
	e.val.conn = conn
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries.get(hash, key) != nil {
		return ErrDuplicate
	}
	s.changes.Add(1)
	defer s.changes.Add(1)
	if err := p.admit(e, labels); err != nil {
		return err
	}
	s.insert(hash, e, step)
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

// Get finds a connection. It takes a lock only while entries of the same shard come or go.
func (p *Pool[K, C]) Get(key K) (conn C, ok bool) {
	hash := p.hash(key)
	if e := p.shard(hash).find(hash, key); e != nil {
		return e.val.conn, true
	}
	return conn, false
}

// Remove takes a connection out, with all its labels, and says whether it was there. Of several calls for one entry, one
// is told so.
func (p *Pool[K, C]) Remove(key K) (conn C, ok bool) {
	hash := p.hash(key)
	s := p.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries.get(hash, key)
	if e == nil {
		return conn, false
	}
	p.drop(s, hash, e)
	return e.val.conn, true
}

// drop takes an entry out. The shard's mu is held.
func (p *Pool[K, C]) drop(s *shard[K, C], hash uint64, e *entry[K, C]) {
	s.changes.Add(1)
	defer s.changes.Add(1)
	s.delete(hash, e)
	p.labels.clear(e)
	p.total.Add(-1)
}

// Touch notes a sign of life and says whether the key is in the pool. It takes its shard's lock for the first time in
// each eighth of IdleAfter, and else like Get.
func (p *Pool[K, C]) Touch(key K) bool {
	hash, step := p.hash(key), p.clock()
	s := p.shard(hash)
	e := s.find(hash, key)
	if e == nil {
		return false
	}
	if e.val.seen.Load() >= max(step, s.step.Load()) {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e = s.entries.get(hash, key) // another one, by now
	if e == nil {
		return false
	}
	s.touch(e, step)
	return true
}
