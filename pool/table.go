package pool

import "sync/atomic"

// table finds items by their key: open addressing with linear probing, so that an item costs a slot of 16 bytes, of
// which 3/8 to 3/4 are in use, and looking it up reads one or two cache lines of slots before its own. The caller
// hashes the key, once for whatever else it needs the hash for; the low bits choose the slot. The zero value is empty.
//
// Who changes a table holds its owner's lock. Who reads may do without, as all of it is atomic, but has an answer only if
// nothing was changed meanwhile: shard.find knows.
type table[K comparable, V any] struct {
	slots atomic.Pointer[[]slot[K, V]] // a power of two of them; nil until the first item
	count int
}

type slot[K comparable, V any] struct {
	hash atomic.Uint64
	item atomic.Pointer[item[K, V]] // nil: the slot is free, and a search ends here
}

// item is a value that stays where it is, under its key.
type item[K comparable, V any] struct {
	key K // static
	val V
}

// minSlots is the size of the smallest table.
const minSlots = 8

func (t *table[K, V]) load() []slot[K, V] {
	if p := t.slots.Load(); p != nil {
		return *p
	}
	return nil
}

// get finds the item of a key, or nil. It ends also while others change the table.
func (t *table[K, V]) get(hash uint64, key K) *item[K, V] {
	slots := t.load()
	last := uint64(len(slots) - 1)
	for n := range uint64(len(slots)) {
		s := &slots[(hash+n)&last]
		it := s.item.Load()
		if it == nil {
			return nil
		}
		if s.hash.Load() == hash && it.key == key {
			return it
		}
	}
	return nil
}

// put adds an item whose key is not there.
func (t *table[K, V]) put(hash uint64, it *item[K, V]) {
	size := len(t.load())
	if t.count++; 4*t.count > 3*size {
		t.resize(max(2*size, minSlots))
	}
	place(t.load(), hash, it)
}

// cut takes out an item that is there. Those behind it move up, so that a search finds them without passing a gap.
func (t *table[K, V]) cut(hash uint64, it *item[K, V]) {
	slots := t.load()
	last := uint64(len(slots) - 1)
	gap := hash & last
	for ; slots[gap].item.Load() != it; gap = (gap + 1) & last {
		if slots[gap].item.Load() == nil {
			return // its key is not even equal to itself: a NaN, which nobody finds again
		}
	}
	for i := (gap + 1) & last; ; i = (i + 1) & last {
		s := &slots[i]
		next, hash := s.item.Load(), s.hash.Load()
		if next == nil {
			break
		}
		if (i-hash)&last >= (i-gap)&last { // its search begins at the gap or before it
			slots[gap].set(hash, next)
			gap = i
		}
	}
	slots[gap].item.Store(nil)
	if t.count--; len(slots) > minSlots && 8*t.count < len(slots) {
		t.resize(len(slots) / 2)
	}
}

// resize moves everything to so many slots, without looking at the items.
func (t *table[K, V]) resize(size int) {
	slots := make([]slot[K, V], size)
	for i := range t.load() {
		s := &t.load()[i]
		if it := s.item.Load(); it != nil {
			place(slots, s.hash.Load(), it)
		}
	}
	t.slots.Store(&slots)
}

// place puts an item into the first free slot of its search.
func place[K comparable, V any](slots []slot[K, V], hash uint64, it *item[K, V]) {
	last := uint64(len(slots) - 1)
	i := hash & last
	for slots[i].item.Load() != nil {
		i = (i + 1) & last
	}
	slots[i].set(hash, it)
}

func (s *slot[K, V]) set(hash uint64, it *item[K, V]) {
	s.hash.Store(hash)
	s.item.Store(it)
}

// all gives every item. The owner's lock is held.
func (t *table[K, V]) all(yield func(*item[K, V]) bool) {
	slots := t.load()
	for i := range slots {
		if it := slots[i].item.Load(); it != nil && !yield(it) {
			return
		}
	}
}
