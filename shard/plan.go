package shard

import "iter"

// Plan is what moves when one ring takes the place of another, known before it
// does. It is immutable and safe for concurrent use; it holds both rings.
type Plan struct {
	from, to *Ring
	place    []int // from's nodes in to, or -1
	moved    int   // slots
}

// Move is one range of hashes that changes its owner.
type Move struct {
	From, To    string // IDs of the nodes
	First, Last uint64 // keys with First ≤ Hash(key) ≤ Last
}

// NewPlan compares two rings, in about 1 ms. A change of a node's weight alone is
// no move of what it keeps.
func NewPlan(from, to *Ring) *Plan {
	p := &Plan{from: from, to: to, place: places(from, to)}
	for slot := range slotCount {
		if p.movesSlot(slot) {
			p.moved++
		}
	}
	return p
}

// Fraction returns which part of all hashes moves, from 0 to 1.
func (p *Plan) Fraction() float64 { return float64(p.moved) / slotCount }

// Owner returns who owns key before and after. They differ exactly if a range of
// [Plan.Moves] has the key's hash.
func (p *Plan) Owner(key string) (from, to string) {
	return p.from.Owner(key), p.to.Owner(key)
}

// Moves returns every range that moves, in ascending order, disjoint and as long
// as they can be. There are many: about a half million divided by the number of
// nodes for each node that comes or goes.
func (p *Plan) Moves() iter.Seq[Move] {
	return func(yield func(Move) bool) {
		for slot := 0; slot < slotCount; {
			if !p.movesSlot(slot) {
				slot++
				continue
			}
			first, from, to := slot, p.from.owner[slot], p.to.owner[slot]
			for slot < slotCount && p.from.owner[slot] == from && p.to.owner[slot] == to {
				slot++
			}
			if !yield(Move{
				From:  p.from.nodes[from].ID,
				To:    p.to.nodes[to].ID,
				First: uint64(first) << slotShift,
				Last:  uint64(slot)<<slotShift - 1, // past the last slot it wraps to the highest hash
			}) {
				return
			}
		}
	}
}

func (p *Plan) movesSlot(slot int) bool {
	return p.place[p.from.owner[slot]] != int(p.to.owner[slot])
}
