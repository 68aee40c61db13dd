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

	stripes [1 << stripeBits]stripe[K, C]
}

const stripeBits = 6

type stripe[K comparable, C any] struct {
	mu sync.Mutex

	// Guarded by mu.
	groups table[Label, bearers[K, C]]

	_ [64]byte // no cache line is part of two stripes
}

// group is the marks with one label; there is none without any. The stripe's mu guards it.
type group[K comparable, C any] = item[Label, bearers[K, C]]

type bearers[K comparable, C any] struct{ marks []*mark[K, C] }

// mark says that an entry bears a label.
type mark[K comparable, C any] struct {
	// Static after construction.
	entry *entry[K, C]
	group *group[K, C]

	next  *mark[K, C] // of the entry; guarded by the shard's mu
	place int         // in the group's marks; guarded by the stripe's mu
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

func (x *index[K, C]) hash(l Label) uint64 { return maphash.Comparable(x.seed, l) }

// stripe is that of a label with this hash.
func (x *index[K, C]) stripe(hash uint64) *stripe[K, C] { return &x.stripes[hash>>(64-stripeBits)] }

// lock takes the stripes of labels, and says which ones unlock has to give back.
func (x *index[K, C]) lock(labels []Label) mask {
	var m mask
	for _, l := range labels {
		m |= x.bit(l)
	}
	return x.lockAll(m)
}

// bit is a label's stripe as a mask.
func (x *index[K, C]) bit(l Label) mask { return 1 << (x.hash(l) >> (64 - stripeBits)) }

func (x *index[K, C]) lockAll(m mask) mask {
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

// group finds that of a label, or nil. The stripe is held.
func (x *index[K, C]) group(l Label) *group[K, C] {
	hash := x.hash(l)
	return x.stripe(hash).groups.get(hash, l)
}

// check says whether e may have all of labels. The shard's mu and the stripes are held.
func (x *index[K, C]) check(e *entry[K, C], labels []Label) error {
	for _, l := range labels {
		limit := x.limits[l.Kind]
		if limit > 0 && e.val.find(l) == nil && size(x.group(l)) >= limit {
			return &LimitError{Label: l, Limit: limit}
		}
	}
	return nil
}

// attach gives e those of labels that it has not. The shard's mu and the stripes are held.
func (x *index[K, C]) attach(e *entry[K, C], labels []Label) {
	for _, l := range labels {
		if e.val.find(l) != nil {
			continue
		}
		hash := x.hash(l)
		groups := &x.stripe(hash).groups
		g := groups.get(hash, l)
		if g == nil {
			g = &group[K, C]{key: l}
			groups.put(hash, g)
		}
		m := &mark[K, C]{entry: e, group: g, next: e.val.marks, place: len(g.val.marks)}
		g.val.marks = append(g.val.marks, m)
		e.val.marks = m
	}
}

// detach takes a mark out of its group, where the last one takes its place. The stripe is held.
func (x *index[K, C]) detach(m *mark[K, C]) {
	g := &m.group.val
	last := len(g.marks) - 1
	g.marks[m.place] = g.marks[last]
	g.marks[m.place].place = m.place
	g.marks[last] = nil
	g.marks = g.marks[:last]
	if last == 0 {
		hash := x.hash(m.group.key)
		x.stripe(hash).groups.cut(hash, m.group)
	}
}

// clear takes all of its labels from e at once. The shard's mu is held.
func (x *index[K, C]) clear(e *entry[K, C]) {
	var held mask
	for m := e.val.marks; m != nil; m = m.next {
		held |= x.bit(m.group.key)
	}
	x.lockAll(held)
	defer x.unlock(held)
	for m := e.val.marks; m != nil; m = m.next {
		x.detach(m)
	}
	e.val.marks = nil
}

// list copies the marks with a label.
func (x *index[K, C]) list(l Label) []*mark[K, C] {
	defer x.unlock(x.lockAll(x.bit(l)))
	if g := x.group(l); g != nil {
		return slices.Clone(g.val.marks)
	}
	return nil
}

// count says how many bear a label.
func (x *index[K, C]) count(l Label) int {
	defer x.unlock(x.lockAll(x.bit(l)))
	return size(x.group(l))
}

// size counts the marks of a group, which may be nil.
func size[K comparable, C any](g *group[K, C]) int {
	if g == nil {
		return 0
	}
	return len(g.val.marks)
}
