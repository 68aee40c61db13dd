package pool

import (
	"iter"
	"slices"
)

// Label is something that several connections may have in common: {"user", "42"}, {"address", "192.0.2.1"}.
type Label struct{ Kind, Value string }

// Attach gives labels to an entry that is in the pool: all of them, or none and an error: ErrUnknown or a
// *LimitError. A label that the entry has already changes nothing.
func (p *Pool[K, C]) Attach(key K, labels ...Label) error {
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key].entry
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
	s := p.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.entries[key].entry
	if e == nil {
		return
	}
	m := p.labels.lock(labels)
	defer p.labels.unlock(m)
	for _, l := range labels {
		if i := e.find(l); i >= 0 {
			p.labels.detach(e.marks[i])
			e.marks = slices.Delete(e.marks, i, i+1)
		}
	}
}

// Count says how many entries bear a label.
func (p *Pool[K, C]) Count(l Label) int {
	s := p.labels.stripe(l)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[l].size()
}

// With gives the entries that bear a label when the loop starts, in no order, without those that were removed before
// their turn. It costs what there are of them, however large the pool is.
func (p *Pool[K, C]) With(l Label) iter.Seq2[K, C] {
	return func(yield func(K, C) bool) {
		for _, m := range p.labels.stripe(l).list(l) {
			if e := m.entry; !e.gone.Load() && !yield(e.key, e.conn) {
				return
			}
		}
	}
}

// find gives the place of a label among e's marks, or -1. The shard's mu is held.
func (e *entry[K, C]) find(l Label) int {
	return slices.IndexFunc(e.marks, func(m *mark[K, C]) bool { return m.label == l })
}
