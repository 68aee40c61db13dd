package gateway

import (
	"iter"
	"math/bits"
	"sync"
)

// slots is a ring's circular array. Arrays come from a pool per size class, a
// power of two, so that a ring that grows and shrinks within its classes does
// not allocate.
type slots struct{ entries []*published }

// fewSlots is slots of the smallest class, whose entries are next to it.
type fewSlots struct {
	slots
	few [smallestSlots]*published
}

const smallestSlots = 8

var slotPools [40]sync.Pool // by log2 of the length

func newSlots(length int) *slots {
	class := bits.Len(uint(length - 1))
	if s, ok := slotPools[class].Get().(*slots); ok {
		return s
	}
	if length == smallestSlots {
		s := new(fewSlots)
		s.entries = s.few[:]
		return &s.slots
	}
	return &slots{entries: make([]*published, length)}
}

// free returns an array whose entries are all nil. A nil receiver is fine.
func (s *slots) free() {
	if s != nil {
		slotPools[bits.Len(uint(len(s.entries)-1))].Put(s)
	}
}

// reserve makes room for one more entry: by squeezing out tombstones when they
// fill a quarter of the array, else by doubling it.
func (r *ring) reserve() {
	switch {
	case r.slots == nil:
		r.slots = newSlots(smallestSlots)
	case r.end-r.head < uint64(len(r.slots.entries)):
	case int(r.end-r.sent)-r.unsentLive > len(r.slots.entries)/4:
		r.squeeze()
	default:
		r.resize(2 * len(r.slots.entries))
	}
}

// shrink halves an array that is three quarters empty, and lets go of the
// smallest when nothing is left in it.
func (r *ring) shrink() {
	if r.slots == nil {
		return
	}
	held, length := int(r.end-r.head), len(r.slots.entries)
	switch {
	case held == 0:
		r.slots.free()
		r.slots = nil
	case length > smallestSlots && held < length/4:
		r.resize(length / 2)
	}
}

func (r *ring) resize(length int) {
	old, fresh := r.slots, newSlots(length)
	for place := r.head; place != r.end; place++ {
		i := place & uint64(len(old.entries)-1)
		fresh.entries[place&uint64(length-1)] = old.entries[i]
		old.entries[i] = nil
	}
	r.slots = fresh
	old.free()
}

// squeeze closes the gaps that tombstones left among the unnumbered.
func (r *ring) squeeze() {
	to, replayEnd := r.sent, r.replayEnd
	if replayEnd < r.unsent { // all of it has been numbered
		replayEnd = to
	}
	for place := r.unsent; place != r.end; place++ {
		if place == r.replayEnd {
			replayEnd = to
		}
		slot := r.at(place)
		p := *slot
		*slot = nil
		if p != nil {
			*r.at(to) = p
			to++
		}
	}
	if r.replayEnd >= r.end {
		replayEnd = to
	}
	r.unsent, r.end, r.replayEnd = r.sent, to, replayEnd
	r.byKey = nil
}

// all iterates over what is held, oldest first.
func (r *ring) all() iter.Seq[*published] {
	return func(yield func(*published) bool) {
		for place := r.head; place != r.end; place++ {
			if p := *r.at(place); p != nil && !yield(p) {
				return
			}
		}
	}
}

// restore fills a new ring: the first of the numbered events has the sequence
// acked.
func (r *ring) restore(acked uint64, numbered, unsent []*published) {
	r.acked, r.next = acked, acked
	for _, p := range numbered {
		r.push(p)
		r.sent, r.unsent = r.end, r.end
		r.keptBytes += p.size()
	}
	r.next = r.numbered()
	for _, p := range unsent {
		r.push(p)
		r.unsentLive++
		r.unsentBytes += p.size()
	}
}

// push puts p at the end, and nothing more.
func (r *ring) push(p *published) {
	r.reserve()
	p.hold()
	*r.at(r.end) = p
	r.end++
}
