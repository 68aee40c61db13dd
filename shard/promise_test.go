package shard

import (
	"fmt"
	"math"
	"testing"
)

// spread returns the highest load of a node relative to its weight, where 1 is
// its fair share. It is counted over all hashes, not over a sample of keys.
func spread(r *Ring) float64 {
	slots := make([]int, len(r.nodes))
	for _, node := range r.owner {
		slots[node]++
	}
	weights := 0
	for _, n := range r.nodes {
		weights += n.Weight
	}
	var highest float64
	for node, n := range r.nodes {
		fair := slotCount * float64(n.Weight) / float64(weights)
		highest = max(highest, float64(slots[node])/fair)
	}
	return highest
}

// The load of a node is at most 1.10 of its fair share. A node that comes takes its
// fair share and 10 % of that at most, one that goes leaves as much, and between
// the others nothing moves.
func TestPromises(t *testing.T) {
	for _, tt := range []struct{ nodes, heaviest int }{
		{1, 1}, {2, 1}, {3, 1}, {10, 1}, {64, 1}, {400, 1}, {3, 3}, {10, 5}, {64, 4},
	} {
		t.Run(fmt.Sprintf("%d nodes to weight %d", tt.nodes, tt.heaviest), func(t *testing.T) {
			r := mustRing(t, some(tt.nodes, tt.heaviest)...)
			if got := spread(r); got > 1.10 {
				t.Errorf("a node has %.3f of its fair share, at most 1.10", got)
			}
			more, err := r.With(Node{ID: "new"})
			if err != nil {
				t.Fatal(err)
			}
			weights := 0
			for _, n := range more.nodes {
				weights += n.Weight
			}
			limit := 1 / float64(weights) * 1.10
			for _, p := range []*Plan{NewPlan(r, more), NewPlan(more, r)} {
				if p.Fraction() > limit || p.Fraction() == 0 {
					t.Errorf("%.3f %% moved, at most %.3f %%", 100*p.Fraction(), 100*limit)
				}
				for slot := range slotCount {
					from, to := p.from.nodes[p.from.owner[slot]].ID, p.to.nodes[p.to.owner[slot]].ID
					if from != to && from != "new" && to != "new" {
						t.Fatalf("slot %d moved from %q to %q, which both stay", slot, from, to)
					}
				}
			}
		})
	}
}

// The names above could be lucky ones. Here they are many sets of names, at the size for
// which the load is promised.
func TestPromisesForAnyNames(t *testing.T) {
	for set := range 4 {
		nodes := make([]Node, 65)
		for i := range nodes {
			nodes[i].ID = fmt.Sprintf("10.%d.0.%d:8080", set, i)
		}
		r := mustRing(t, nodes[:64]...)
		if got := spread(r); got > 1.10 {
			t.Errorf("set %d: a node has %.3f of its fair share, at most 1.10", set, got)
		}
		more, err := r.With(nodes[64])
		if err != nil {
			t.Fatal(err)
		}
		if got, limit := NewPlan(r, more).Fraction(), 1.10/65; got > limit {
			t.Errorf("set %d: %.3f %% moved, at most %.3f %%", set, 100*got, 100*limit)
		}
	}
}

// Counted with keys as people have them, the promises hold as well.
func TestPromisesForRealKeys(t *testing.T) {
	const n = 1 << 18
	r := mustRing(t, some(64, 1)...)
	more, err := r.With(Node{ID: "node-64"})
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range []string{"guild:%d", "%x", "channel:175928847299117%06d"} {
		load, moved := map[string]int{}, 0
		for i := range n {
			key := fmt.Sprintf(pattern, i)
			owner := r.Owner(key)
			load[owner]++
			if more.Owner(key) != owner {
				moved++
			}
		}
		highest := 0
		for _, l := range load {
			highest = max(highest, l)
		}
		if got := float64(highest) * 64 / n; got > 1.10 {
			t.Errorf("%s: a node has %.3f of its fair share", pattern, got)
		}
		if got := float64(moved) / n; got > 1.10/65 {
			t.Errorf("%s: %.3f %% moved", pattern, 100*got)
		}
	}
}

// The weighted draw is what the theory says, in floating point: each slot goes to
// the least -ln(u)/weight. The integers may differ where two are nearly equal.
func TestWeightedDrawIsAnExponentialRace(t *testing.T) {
	nodes := some(16, 5)
	r := mustRing(t, nodes...)
	differ := 0
	for slot := range slotCount {
		winner, least := "", math.Inf(1)
		for _, n := range nodes {
			u := (float64(score(Hash(n.ID), slot)) + 1) / (1 << 64)
			if x := -math.Log(u) / float64(n.Weight); x < least {
				winner, least = n.ID, x
			}
		}
		if r.nodes[r.owner[slot]].ID != winner {
			differ++
		}
	}
	if differ > slotCount/10_000 {
		t.Errorf("%d of %d slots have another owner", differ, slotCount)
	}
}

// What the seed idea, hash % n, costs, in numbers that BenchmarkLookup prints as
// well: nearly every key moves, where Ring moves one in 65.
func TestModuloMovesNearlyEverything(t *testing.T) {
	moved, _ := quality(modulo{64}, modulo{65}, 64)
	if moved < 0.97 {
		t.Errorf("hash %% n moves %.1f %%", 100*moved)
	}
	ring := newOurs(64)
	ringMoved, spread := quality(ring, newOurs(65), 64)
	if ringMoved > 1.10/65 || spread > 1.10 {
		t.Errorf("Ring moves %.2f %%, max/mean is %.3f", 100*ringMoved, spread)
	}
}
