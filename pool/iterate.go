package pool

import "iter"

// All gives the entries, in no order. It copies one shard at a time: what is in the pool all the while comes exactly
// once, what comes or goes meanwhile may be missing, and nothing comes after its Remove has returned.
func (p *Pool[K, C]) All() iter.Seq2[K, C] {
	return func(yield func(K, C) bool) {
		var entries []*entry[K, C]
		for i := range p.shards {
			entries = p.shards[i].list(entries[:0])
			for _, e := range entries {
				if !e.val.isGone() && !yield(e.key, e.val.conn) {
					return
				}
			}
		}
	}
}

// EvictIdle removes the idle entries and gives each to the loop that runs over it, after its removal: `for key, conn :=
// range p.EvictIdle() { conn.Close() }`. An entry goes only if it is still idle at the moment of its removal. A loop
// that is left early leaves the rest in the pool. Shards without idle entries are passed over.
func (p *Pool[K, C]) EvictIdle() iter.Seq2[K, C] {
	return func(yield func(K, C) bool) {
		var idle []*entry[K, C]
		for i := range p.shards {
			s := &p.shards[i]
			idle = s.listIdle(idle[:0], p.clock())
			for _, e := range idle {
				if p.evict(s, e) && !yield(e.key, e.val.conn) {
					return
				}
			}
		}
	}
}

// evict removes an entry if it is there and idle.
func (p *Pool[K, C]) evict(s *shard[K, C], e *entry[K, C]) bool {
	hash := p.hash(e.key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e.val.isGone() || !s.isIdle(e) {
		return false
	}
	p.drop(s, hash, e)
	p.evicted.Add(1)
	return true
}

// list appends all entries to dst.
func (s *shard[K, C]) list(dst []*entry[K, C]) []*entry[K, C] {
	s.mu.Lock()
	defer s.mu.Unlock()
	for e := range s.entries.all {
		dst = append(dst, e)
	}
	return dst
}

// listIdle appends the entries that are idle now to dst.
func (s *shard[K, C]) listIdle(dst []*entry[K, C], step int64) []*entry[K, C] {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.advance(step)
	if s.idle == 0 {
		return dst
	}
	for e := range s.entries.all {
		if s.isIdle(e) {
			dst = append(dst, e)
		}
	}
	return dst
}
