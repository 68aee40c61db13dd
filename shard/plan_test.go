package shard

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// plans returns rings that differ in every way, as plans.
func plans(t *testing.T) map[string]*Plan {
	t.Helper()
	three := mustRing(t, some(3, 1)...)
	weighed := some(3, 1)
	weighed[2].Weight = 4
	return map[string]*Plan{
		"one comes":       NewPlan(three, mustRing(t, some(4, 1)...)),
		"two go":          NewPlan(three, mustRing(t, Node{ID: "node-0"})),
		"one is replaced": NewPlan(three, mustRing(t, append(some(2, 1), Node{ID: "0"})...)),
		"one is heavier":  NewPlan(three, mustRing(t, weighed...)),
		"all are other":   NewPlan(three, mustRing(t, Node{ID: "x"}, Node{ID: "y"})),
		"nothing":         NewPlan(three, mustRing(t, some(3, 1)...)),
		"to one":          NewPlan(three, mustRing(t, Node{ID: "x"})),
	}
}

// A key's owner differs exactly if a range of the plan has its hash, and the range
// tells both owners.
func TestPlanCoversExactlyWhatMoves(t *testing.T) {
	for name, p := range plans(t) {
		t.Run(name, func(t *testing.T) {
			moves := slices.Collect(p.Moves())
			rng := rand.New(rand.NewPCG(9, 10))
			for range 10_000 {
				key := fmt.Sprint(rng.Uint64())
				from, to := p.from.Owner(key), p.to.Owner(key)
				if f, n := p.Owner(key); f != from || n != to {
					t.Fatalf("Owner(%q) = %q, %q, want %q, %q", key, f, n, from, to)
				}
				i, covered := slices.BinarySearchFunc(moves, Hash(key), func(m Move, h uint64) int {
					switch {
					case m.Last < h:
						return -1
					case m.First > h:
						return 1
					}
					return 0
				})
				if covered != (from != to) {
					t.Fatalf("%q goes from %q to %q, covered: %v", key, from, to, covered)
				}
				if covered && (moves[i].From != from || moves[i].To != to) {
					t.Fatalf("%q goes from %q to %q, the plan says %+v", key, from, to, moves[i])
				}
			}
		})
	}
}

func TestPlanRangesAreOrderedMaximalAndAddUp(t *testing.T) {
	for name, p := range plans(t) {
		t.Run(name, func(t *testing.T) {
			var sum float64
			var last *Move
			for m := range p.Moves() {
				if m.From == m.To || m.First > m.Last {
					t.Fatalf("no move: %+v", m)
				}
				if last != nil && m.First <= last.Last {
					t.Fatalf("%+v after %+v", m, *last)
				}
				if last != nil && m.First == last.Last+1 && m.From == last.From && m.To == last.To {
					t.Fatalf("%+v could be one with %+v", m, *last)
				}
				sum += float64(m.Last-m.First) / (1 << 64)
				last = &m
			}
			if math.Abs(sum-p.Fraction()) > 1e-9 {
				t.Errorf("the ranges are %v of the hashes, Fraction() = %v", sum, p.Fraction())
			}
		})
	}
}

func TestPlanFractions(t *testing.T) {
	all := plans(t)
	if got := all["nothing"].Fraction(); got != 0 {
		t.Errorf("the same nodes: %v moves", got)
	}
	if got := all["to one"].Fraction(); got != 1 {
		t.Errorf("to another node: %v moves, want 1", got)
	}
	var last Move
	for m := range all["to one"].Moves() {
		last = m
	}
	if last.Last != math.MaxUint64 {
		t.Errorf("the last range ends at %#x", last.Last)
	}
	n := 0
	for range all["one comes"].Moves() {
		if n++; n == 3 {
			break
		}
	}
}
