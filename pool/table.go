package pool

import (
	"math/bits"
	"sync/atomic"
)

// table finds items by their key. It has a power of two of buckets, each of one cache line: six items and a byte of the
// hash of each, so that a lookup reads one line to know which item to look at, nearly always the right one. A bucket
// with more than six has another one behind it. The caller hashes the key, once for whatever else it needs the hash for;
// the low bits choose the bucket.
//
// Who changes a table holds its owner's lock. Who reads may do without, as all of it is atomic, but has an answer only if
// nothing was changed meanwhile: shard.find knows.
type table[K comparable, V any] struct {
	hash    func(K) uint64                 // static; for growing alone
	buckets atomic.Pointer[[]bucket[K, V]] // nil until the first item
	count   int
}

type bucket[K comparable, V any] struct {
	tags  atomic.Uint64 // byte i is the tag of item i, 0 where there is none
	items [perBucket]atomic.Pointer[item[K, V]]
	more  atomic.Pointer[bucket[K, V]]
}

// item is a value that stays where it is, under its key.
type item[K comparable, V any] struct {
	key K // static
	val V
}

const (
	perBucket = 6

	// A table grows when it has more than fullBucket items per bucket, and shrinks when it has less than one.
	fullBucket = 5

	everyByte = 0x0101010101010101
)

// tag is a byte of a hash, other than those that choose shards and buckets, and never 0.
func tag(hash uint64) uint64 { return hash>>40&0x7F | 0x80 }

// matches has a bit set in each byte of tags that is t, at its top. It may have one in a byte above such a one, too.
func matches(tags, t uint64) uint64 {
	x := tags ^ t*everyByte
	return (x - everyByte) &^ x & (0x80 * everyByte)
}

func (t *table[K, V]) load() []bucket[K, V] {
	if p := t.buckets.Load(); p != nil {
		return *p
	}
	return nil
}

// get finds the item of a key, or nil.
func (t *table[K, V]) get(hash uint64, key K) *item[K, V] {
	buckets := t.load()
	if len(buckets) == 0 {
		return nil
	}
	want := tag(hash)
	for b := &buckets[hash&uint64(len(buckets)-1)]; b != nil; b = b.more.Load() {
		for m := matches(b.tags.Load(), want); m != 0; m &= m - 1 {
			if it := b.items[bits.TrailingZeros64(m)/8].Load(); it != nil && it.key == key {
				return it
			}
		}
	}
	return nil
}

// put adds an item whose key is not there.
func (t *table[K, V]) put(hash uint64, it *item[K, V]) {
	n := len(t.load())
	if t.count++; t.count > fullBucket*n {
		t.resize(max(2*n, 1))
	}
	place(t.load(), hash, it)
}

// cut takes out an item that is there.
func (t *table[K, V]) cut(hash uint64, it *item[K, V]) {
	buckets := t.load()
	for b := &buckets[hash&uint64(len(buckets)-1)]; b != nil; b = b.more.Load() {
		for i := range b.items {
			if b.items[i].Load() == it {
				b.tags.Store(b.tags.Load() &^ (0xFF << (8 * i)))
				b.items[i].Store(nil)
				if t.count--; t.count < len(buckets) && len(buckets) > 1 {
					t.resize(len(buckets) / 2)
				}
				return
			}
		}
	}
	// Its key is not even equal to itself: a NaN, which nobody finds again.
}

// resize moves everything to so many new buckets.
func (t *table[K, V]) resize(n int) {
	buckets := make([]bucket[K, V], n)
	for it := range t.all {
		place(buckets, t.hash(it.key), it)
	}
	t.buckets.Store(&buckets)
}

// place puts an item where a search for it finds it.
func place[K comparable, V any](buckets []bucket[K, V], hash uint64, it *item[K, V]) {
	b := &buckets[hash&uint64(len(buckets)-1)]
	for {
		tags := b.tags.Load()
		for i := range b.items {
			if tags>>(8*i)&0xFF == 0 {
				b.items[i].Store(it)
				b.tags.Store(tags | tag(hash)<<(8*i))
				return
			}
		}
		if b.more.Load() == nil {
			b.more.Store(new(bucket[K, V]))
		}
		b = b.more.Load()
	}
}

// all gives every item. The owner's lock is held.
func (t *table[K, V]) all(yield func(*item[K, V]) bool) {
	buckets := t.load()
	for i := range buckets {
		for b := &buckets[i]; b != nil; b = b.more.Load() {
			for i := range b.items {
				if it := b.items[i].Load(); it != nil && !yield(it) {
					return
				}
			}
		}
	}
}
