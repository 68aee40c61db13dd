package shard

import "sync"

// Bounded hands out the nodes of a ring so that none has much more than its
// share: consistent hashing with bounded loads (Mirrokni, Thorup and Zadimoghaddam
// 2016). A key goes to its owner while that has room, else to the first of its
// next choices that has.
//
// With t keys given out, this one among them, a node whose weight is w of W in all
// takes a key while it has fewer than ⌈(1 + percent/100)·t·w/W⌉: there is always
// one that has room. The bound is kept when keys arrive. Those that are placed
// stay when others leave and the mean falls; nothing is moved behind the
// caller's back.
//
// It counts what it is told in this process, and does not remember keys: two of
// one name count twice. Its methods are safe for concurrent use.
type Bounded struct {
	percent uint64

	mu    sync.Mutex
	ring  *Ring
	sum   uint64   // of the weights
	load  []uint64 // by node of ring
	total uint64   // of load
}

// NewBounded returns one in which no node has any key yet, and none will take
// more than percent above the mean. 25 is a good start: with 10,000 keys on 64 nodes
// it sends 2 % elsewhere than to their owner; with 0 all nodes have the same, for
// which half of them go elsewhere. It panics if percent is negative.
func NewBounded(ring *Ring, percent int) *Bounded {
	if percent < 0 {
		panic("shard: NewBounded: percent is negative")
	}
	b := &Bounded{percent: uint64(percent)}
	b.Swap(ring)
	return b
}

// Assign gives key a node, and counts it until Release. With 64 nodes the two
// together take 0.1 µs while the owner has room, else 0.6 µs; they do not allocate.
func (b *Bounded) Assign(key string) string {
	slot := slotOf(key)
	b.mu.Lock()
	defer b.mu.Unlock()
	node, _ := b.ring.within(slot, b.hasRoom)
	b.load[node]++
	b.total++
	return b.ring.nodes[node].ID
}

// hasRoom reports whether the node takes one key more. mu is held.
//
// load < ⌈x/y⌉ is load·y < x for whole numbers, so nothing is rounded. Neither side
// passes 2⁶⁴ with less than 2²⁸ keys on the largest possible ring, and 2⁵⁰ on one of
// 100 nodes of weight 1.
func (b *Bounded) hasRoom(node int) bool {
	return b.load[node]*100*b.sum < (100+b.percent)*(b.total+1)*uint64(b.ring.nodes[node].Weight)
}

// Release takes back a key that Assign gave to the node. It does nothing if the
// node has none, or is not in the ring any more.
func (b *Bounded) Release(node string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, ok := b.ring.index(node); ok && b.load[i] > 0 {
		b.load[i]--
		b.total--
	}
}

// Load returns how many keys a node has: 0 if it is not in the ring.
func (b *Bounded) Load(node string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	if i, ok := b.ring.index(node); ok {
		return int(b.load[i])
	}
	return 0
}

// Swap has the keys that come divided by another ring. Nodes that stay keep what
// they have; keys of those that are gone are not counted any more, and are to be
// assigned again.
func (b *Bounded) Swap(ring *Ring) {
	b.mu.Lock()
	defer b.mu.Unlock()
	was, load := b.ring, b.load
	b.ring, b.sum, b.total = ring, 0, 0
	b.load = make([]uint64, len(ring.nodes))
	for i, n := range ring.nodes {
		b.sum += uint64(n.Weight)
		if was == nil {
			continue
		}
		if before, ok := was.index(n.ID); ok {
			b.load[i] = load[before]
			b.total += load[before]
		}
	}
}
