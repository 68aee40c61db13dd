package pool

import "iter"

// Label is something that several connections may have in common: {"user", "42"}, {"address", "192.0.2.1"}.
type Label struct{ Kind, Value string }

// Attach gives labels to an entry that is in the pool: all of them, or none and an error: ErrUnknown or a
// *LimitError. A label that the entry has already changes nothing.
func (p *Pool[K, C]) Attach(key K, labels ...Label) error {
	hash := p.hash(key)
	s := p.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries.get(hash, key)
	if e == nil {
		return ErrUnknown
	}
	m := p.labels.lock(labels)
	defer p.labels.unlock(m)
	if err := p.labels.check(e, labels); err != nil {
		p.limited.Add(1)
		return err
	}
	p.labels.attach(e, labels)
	return nil
}

// Detach takes labels from an entry; those that it has not, and a key that is not in the pool, change nothing.
func (p *Pool[K, C]) Detach(key K, labels ...Label) {
	hash := p.hash(key)
	s := p.shard(hash)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries.get(hash, key)
	if e == nil {
		return
	}
	m := p.labels.lock(labels)
	defer p.labels.unlock(m)
	for _, l := range labels {
		if at := e.val.find(l); at != nil {
			p.labels.detach(*at)
			*at = (*at).next
		}
	}
}

// Count says how many entries bear a label.
func (p *Pool[K, C]) Count(l Label) int { return p.labels.count(l) }

// With gives the entries that bear a label when the loop starts, in no order, without those that were removed before
// their turn. It costs what there are of them, however large the pool is.
func (p *Pool[K, C]) With(l Label) iter.Seq2[K, C] {
	return func(yield func(K, C) bool) {
		for _, m := range p.labels.list(l) {
			if e := m.entry; !e.val.isGone() && !yield(e.key, e.val.conn) {
				return
			}
		}
	}
}

// find gives where a label's mark hangs among c's, or nil. The shard's mu is held.
func (c *connected[K, C]) find(l Label) **mark[K, C] {
	for at := &c.marks; *at != nil; at = &(*at).next {
		if (*at).group.key == l {
			return at
		}
	}
	return nil
}
