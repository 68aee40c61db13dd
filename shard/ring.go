package shard

import (
	"fmt"
	"slices"
	"strings"
)

const (
	// MaxNodes is how many nodes a ring can have.
	MaxNodes = 4096

	// MaxWeight is the highest weight of a node.
	MaxWeight = 1<<16 - 1

	slotBits  = 19
	slotCount = 1 << slotBits
	slotShift = 64 - slotBits
)

// Node is one owner in a [Ring].
type Node struct {
	ID     string // not empty, and the only one of this name in its ring
	Weight int    // its share relative to the others; 0 means 1, at most MaxWeight
}

// Ring says which node owns a key. Nodes that come and go move only the keys that
// they take or leave: between the nodes that stay, nothing moves.
//
// The hashes of keys are cut into 2¹⁹ equal slots, and a table has the owner of
// each. A slot belongs to the node that draws the highest number for it
// (rendezvous hashing, Thaler and Ravishankar 1998; with weights, the logarithmic
// method of Schindelhauer and Schomaker 2005). Which node that is follows from the set of nodes alone: not from their order, nor from the
// rings before, nor from process, machine or version. See the package comment
// for the exact rule, and for what was measured against it.
//
// A Ring is immutable and safe for concurrent use; [Table] swaps one for another.
// It weighs 1 MB, whatever it holds. The zero value is not usable.
type Ring struct {
	nodes   []Node   // sorted by ID, weights filled in
	seeds   []uint64 // Hash(ID), by node
	weighed bool     // not all weights are equal
	owner   *[slotCount]uint16
}

// NewRing returns the ring of these nodes, in any order. It takes about 0.8 ms for
// each node (50 ms for 64), and up to four times that if weights differ;
// [Ring.With] and [Ring.Without] reach the same ring from a neighbouring one in
// less.
//
// The error is [ErrEmpty], [ErrInvalid], [ErrDuplicate] or [ErrTooMany].
func NewRing(nodes ...Node) (*Ring, error) {
	r, err := (&Ring{}).sortedIn(nodes)
	if err != nil {
		return nil, err
	}
	r.owner = new([slotCount]uint16)
	for slot := range r.owner {
		r.owner[slot] = uint16(r.best(slot))
	}
	return r, nil
}

// Owner returns the ID of the node that owns key. It does not allocate.
func (r *Ring) Owner(key string) string {
	return r.nodes[r.owner[slotOf(key)]].ID
}

func slotOf(key string) int { return int(Hash(key) >> slotShift) }

// Owners returns the IDs of the n nodes that come first for key, the owner first:
// each is who would own the key if those before it were gone. If the ring has
// fewer nodes, it returns them all.
func (r *Ring) Owners(key string, n int) []string {
	return r.AppendOwners(make([]string, 0, max(0, min(n, len(r.nodes)))), key, n)
}

// AppendOwners appends what [Ring.Owners] returns to dst. It looks at every node
// (5 to 12 ns each), and for up to 16 owners it allocates nothing but what dst lacks.
func (r *Ring) AppendOwners(dst []string, key string, n int) []string {
	slot := slotOf(key)
	if n == 1 {
		return append(dst, r.nodes[r.owner[slot]].ID)
	}
	n = min(n, len(r.nodes))
	if n < 1 {
		return dst
	}
	first := make([]draw, 0, 16) // the best so far, in order
	for node := range r.nodes {
		d := r.draw(node, slot)
		if len(first) == n {
			if !d.beats(first[n-1]) {
				continue
			}
			first = first[:n-1]
		}
		first = append(first, d)
		for i := len(first) - 1; i > 0 && d.beats(first[i-1]); i-- {
			first[i], first[i-1] = first[i-1], d
		}
	}
	for _, d := range first {
		dst = append(dst, r.nodes[d.node].ID)
	}
	return dst
}

// Len returns the number of nodes.
func (r *Ring) Len() int { return len(r.nodes) }

// Nodes returns a copy of the nodes, sorted by ID, each with its weight.
func (r *Ring) Nodes() []Node { return slices.Clone(r.nodes) }

// draw is what a node draws for a slot.
func (r *Ring) draw(node, slot int) draw {
	d := draw{score: score(r.seeds[node], slot), node: node}
	if r.weighed {
		d.cost = cost(d.score, octave())
		d.weight = uint64(r.nodes[node].Weight)
	}
	return d
}

// best returns the node that comes first for a slot. It is [draw.beats] over all
// nodes, without the work that the outcome does not need.
func (r *Ring) best(slot int) int {
	node, high := 0, uint64(0)
	if !r.weighed {
		step := uint64(slot+1) * golden
		for i, seed := range r.seeds {
			if s := mix(seed + step); s > high {
				node, high = i, s
			}
		}
		return node
	}
	first := r.draw(0, slot)
	for i := 1; i < len(r.seeds); i++ {
		s, weight := score(r.seeds[i], slot), uint64(r.nodes[i].Weight)
		if s <= first.score && weight <= first.weight {
			continue
		}
		if d := (draw{s, cost(s, octave()), weight, i}); d.beats(first) {
			first = d
		}
	}
	return first.node
}

// sortedIn returns a ring of r's nodes and more, without its table.
func (r *Ring) sortedIn(more []Node) (*Ring, error) {
	next := &Ring{nodes: slices.Concat(r.nodes, more)}
	if len(next.nodes) == 0 {
		return nil, ErrEmpty
	}
	if len(next.nodes) > MaxNodes {
		return nil, fmt.Errorf("%w: %d, at most %d", ErrTooMany, len(next.nodes), MaxNodes)
	}
	for i := range next.nodes {
		n := &next.nodes[i]
		if n.ID == "" || n.Weight < 0 || n.Weight > MaxWeight {
			return nil, fmt.Errorf("%w: ID %q, weight %d", ErrInvalid, n.ID, n.Weight)
		}
		n.Weight = max(n.Weight, 1)
	}
	slices.SortFunc(next.nodes, func(a, b Node) int { return strings.Compare(a.ID, b.ID) })
	seen := make(map[uint64]bool, len(next.nodes))
	for _, n := range next.nodes {
		seed := Hash(n.ID)
		if seen[seed] {
			return nil, fmt.Errorf("%w: %q", ErrDuplicate, n.ID)
		}
		seen[seed] = true
		next.seeds = append(next.seeds, seed)
	}
	next.weigh()
	return next, nil
}

// weigh notes whether weights matter.
func (r *Ring) weigh() {
	r.weighed = slices.ContainsFunc(r.nodes, func(n Node) bool { return n.Weight != r.nodes[0].Weight })
}

// index returns where a node is.
func (r *Ring) index(id string) (int, bool) {
	return slices.BinarySearchFunc(r.nodes, id, func(n Node, id string) int { return strings.Compare(n.ID, id) })
}
