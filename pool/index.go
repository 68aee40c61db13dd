package pool

import (
	"hash/maphash"
	"math/bits"
	"slices"
	"sync"
)

// index knows who bears which label. It is divided into stripes by the label; who needs several of them locks them in
// ascending order.
type index[K comparable, C any] struct {
	// Static after construction.
	limits map[string]int // only those above 0
	seed   maphash.Seed

	stripes [64]stripe[K, C]
}

type stripe[K comparable, C any] struct {
	mu sync.Mutex

	// Guarded by mu.
	groups map[Label]*group[K, C] // nil until the first

	_ [64]byte // no cache line is part of two stripes
}

// group is the marks with one label; there is none without any. The stripe's mu guards it.
type group[K comparable, C any] struct{ marks []*mark[K, C] }

// mark says that an entry bears a label. All but its place is static.
type mark[K comparable, C any] struct {
	entry *entry[K, C]
	label Label
	group *group[K, C]
	place int // in group.marks; guarded by the stripe's mu
}

// mask is a set of stripes, one bit for each.
type mask uint64

func (x *index[K, C]) init(limits map[string]int) {
	x.seed = maphash.MakeSeed()
	x.limits = make(map[string]int, len(limits))
	for kind, n := range limits {
		if n > 0 {
			x.limits[kind] = n
		}
	}
}

func (x *index[K, C]) number(l Label) int {
	return int(maphash.Comparable(x.seed, l) % uint64(len(x.stripes)))
}

func (x *index[K, C]) stripe(l Label) *stripe[K, C] { return &x.stripes[x.number(l)] }

// lock takes the stripes of labels, and says which ones unlock has to give back.
func (x *index[K, C]) lock(labels []Label) mask {
	var m mask
	for _, l := range labels {
		m |= 1 << x.number(l)
	}
	for rest := m; rest != 0; rest &= rest - 1 {
		x.stripes[bits.TrailingZeros64(uint64(rest))].mu.Lock()
	}
	return m
}

func (x *index[K, C]) unlock(m mask) {
	for ; m != 0; m &= m - 1 {
		x.stripes[bits.TrailingZeros64(uint64(m))].mu.Unlock()
	}
}

// check says whether e may have all of labels. The shard's mu and the stripes are held.
func (x *index[K, C]) check(e *entry[K, C], labels []Label) error {
	for _, l := range labels {
		limit := x.limits[l.Kind]
		if limit > 0 && e.find(l) < 0 && x.stripe(l).groups[l].size() >= limit {
			return &LimitError{Label: l, Limit: limit}
		}
	}
	return nil
}

// attach gives e those of labels that it has not. The shard's mu and the stripes are held.
func (x *index[K, C]) attach(e *entry[K, C], labels []Label) {
	for _, l := range labels {
		if e.find(l) >= 0 {
			continue
		}
		s := x.stripe(l)
		g := s.groups[l]
		if g == nil {
			if s.groups == nil {
				s.groups = make(map[Label]*group[K, C])
			}
			g = new(group[K, C])
			s.groups[l] = g
		}
		m := &mark[K, C]{e, l, g, len(g.marks)}
		g.marks = append(g.marks, m)
		e.marks = append(e.marks, m)
	}
}

// detach takes a mark out of its group, where the last one takes its place. The stripe is held.
func (x *index[K, C]) detach(m *mark[K, C]) {
	g := m.group
	last := len(g.marks) - 1
	g.marks[m.place] = g.marks[last]
	g.marks[m.place].place = m.place
	g.marks[last] = nil
	g.marks = g.marks[:last]
	if last == 0 {
		delete(x.stripe(m.label).groups, m.label)
	}
}

// clear takes all of its labels from e at once. The shard's mu is held.
func (x *index[K, C]) clear(e *entry[K, C]) {
	var room [4]Label
	labels := room[:0]
	for _, m := range e.marks {
		labels = append(labels, m.label)
	}
	held := x.lock(labels)
	defer x.unlock(held)
	for _, m := range e.marks {
		x.detach(m)
	}
	e.marks = nil
}

// list copies the marks with a label.
func (s *stripe[K, C]) list(l Label) []*mark[K, C] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if g := s.groups[l]; g != nil {
		return slices.Clone(g.marks)
	}
	return nil
}

// size counts the marks of a group, which may be nil.
func (g *group[K, C]) size() int {
	if g == nil {
		return 0
	}
	return len(g.marks)
}
