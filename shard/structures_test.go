package shard

import (
	"fmt"
	"slices"
	"sort"
)

// The other structures that keys can be divided by, small and plain, to be
// measured beside Ring. A lookup returns the number of the node.

// modulo is hash % n.
type modulo struct{ n int }

func (m modulo) lookup(key string) int { return int(Hash(key) % uint64(m.n)) }
func (m modulo) bytes() int            { return 0 }

// circle is the classic ring: points per node on a circle, and a key belongs to
// the first point after it, found by binary search. With 160 points it is what
// nginx' "hash … consistent" and ketama do, but for the hash.
type circle struct {
	hashes []uint64
	nodes  []uint16
}

func newCircle(n, points int) *circle {
	type point struct {
		hash uint64
		node uint16
	}
	all := make([]point, 0, n*points)
	for node := range n {
		seed := Hash(fmt.Sprintf("node-%d", node))
		for i := range points {
			all = append(all, point{score(seed, i), uint16(node)})
		}
	}
	slices.SortFunc(all, func(a, b point) int {
		if a.hash < b.hash {
			return -1
		}
		return 1
	})
	c := &circle{}
	for _, p := range all {
		c.hashes, c.nodes = append(c.hashes, p.hash), append(c.nodes, p.node)
	}
	return c
}

func (c *circle) lookup(key string) int {
	h := Hash(key)
	i := sort.Search(len(c.hashes), func(i int) bool { return c.hashes[i] >= h })
	if i == len(c.hashes) {
		i = 0
	}
	return int(c.nodes[i])
}

func (c *circle) bytes() int { return 10 * len(c.hashes) }

// bucketed is a circle with an index: for each of 2ᵇ equal buckets, the first
// point in it.
type bucketed struct {
	circle
	first []uint32
	shift int
}

func newBucketed(n, points int) *bucketed {
	b := &bucketed{circle: *newCircle(n, points), shift: 64}
	for 1<<(64-b.shift) < n*points {
		b.shift--
	}
	i := 0
	for bucket := range 1 << (64 - b.shift) {
		for i < len(b.hashes) && b.hashes[i]>>b.shift < uint64(bucket) {
			i++
		}
		b.first = append(b.first, uint32(i))
	}
	return b
}

func (b *bucketed) lookup(key string) int {
	h := Hash(key)
	i := int(b.first[h>>(b.shift&63)])
	for i < len(b.hashes) && b.hashes[i] < h {
		i++
	}
	if i == len(b.hashes) {
		i = 0
	}
	return int(b.nodes[i])
}

func (b *bucketed) bytes() int { return b.circle.bytes() + 4*len(b.first) }

// maglev is Google's table (Eisenbud and others 2016): the nodes take free places
// in turn, each in its own order.
type maglev struct{ table []uint16 }

const maglevSize = 65537 // prime

func newMaglev(n int) *maglev {
	m := &maglev{make([]uint16, maglevSize)}
	taken := make([]bool, maglevSize)
	at, step := make([]uint64, n), make([]uint64, n)
	for node := range n {
		h := Hash(fmt.Sprintf("node-%d", node))
		at[node], step[node] = h%maglevSize, mix(h)%(maglevSize-1)+1
	}
	for filled := 0; filled < maglevSize; {
		for node := 0; node < n && filled < maglevSize; node++ {
			for taken[at[node]] {
				at[node] = (at[node] + step[node]) % maglevSize
			}
			taken[at[node]], m.table[at[node]] = true, uint16(node)
			filled++
		}
	}
	return m
}

func (m *maglev) lookup(key string) int { return int(m.table[Hash(key)%maglevSize]) }
func (m *maglev) bytes() int            { return 2 * len(m.table) }

// rendezvous asks every node at each lookup.
type rendezvous struct{ seeds []uint64 }

func newRendezvous(n int) *rendezvous {
	r := &rendezvous{}
	for node := range n {
		r.seeds = append(r.seeds, Hash(fmt.Sprintf("node-%d", node)))
	}
	return r
}

func (r *rendezvous) lookup(key string) int {
	h, node, high := Hash(key), 0, uint64(0)
	for i, seed := range r.seeds {
		if s := mix(seed + h); s > high {
			node, high = i, s
		}
	}
	return node
}

func (r *rendezvous) bytes() int { return 8 * len(r.seeds) }

// ours is Ring, with the numbers of nodes for IDs.
type ours struct {
	*Ring
	number map[string]int
}

func newOurs(n int) ours {
	r, err := NewRing(some(n, 1)...)
	if err != nil {
		panic(err)
	}
	o := ours{r, map[string]int{}}
	for i := range n {
		o.number[fmt.Sprintf("node-%d", i)] = i
	}
	return o
}

func (o ours) lookup(key string) int { return o.number[o.Owner(key)] }
func (o ours) bytes() int            { return 2 * slotCount }
