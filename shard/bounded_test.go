package shard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// bound is ⌈(1 + percent/100)·keys·w/W⌉.
func bound(r *Ring, node, percent, keys int) int {
	sum := 0
	for _, n := range r.nodes {
		sum += n.Weight
	}
	x, y := (100+percent)*keys*r.nodes[node].Weight, 100*sum
	return (x + y - 1) / y
}

func TestOwnerWithinIsTheFirstThatHasRoom(t *testing.T) {
	rng := rand.New(rand.NewPCG(6, 1))
	for _, heaviest := range []int{1, 4} {
		r := mustRing(t, some(12, heaviest)...)
		for i := range 2000 {
			key := fmt.Sprint("key:", i)
			full := map[string]bool{}
			for range rng.IntN(13) {
				full[r.nodes[rng.IntN(12)].ID] = true
			}
			want, found := "", false
			for _, id := range r.Owners(key, 12) {
				if !full[id] {
					want, found = id, true
					break
				}
			}
			if got, ok := r.OwnerWithin(key, func(id string) bool { return !full[id] }); got != want || ok != found {
				t.Fatalf("%s with %v full: %q %v, want %q %v", key, full, got, ok, want, found)
			}
		}
	}
	r := mustRing(t, some(3, 1)...)
	if id, ok := r.OwnerWithin("a", func(string) bool { return false }); ok || id != "" {
		t.Errorf("nobody has room, and yet %q", id)
	}
}

// No node is ever given a key that takes it above the bound, and a key is elsewhere
// than with its owner only when that had no room.
func TestBoundedLoads(t *testing.T) {
	for _, tt := range []struct{ nodes, heaviest, percent int }{
		{1, 1, 0}, {3, 1, 0}, {10, 1, 10}, {10, 3, 25}, {64, 1, 25}, {7, 5, 0}, {5, 1, 300},
	} {
		t.Run(fmt.Sprintf("%d nodes to weight %d, %d %%", tt.nodes, tt.heaviest, tt.percent), func(t *testing.T) {
			r := mustRing(t, some(tt.nodes, tt.heaviest)...)
			b := NewBounded(r, tt.percent)
			rng := rand.New(rand.NewPCG(1, uint64(tt.nodes)))
			var placed []string
			for i := range 20_000 {
				if len(placed) > 0 && rng.IntN(4) == 0 { // somebody leaves
					at := rng.IntN(len(placed))
					b.Release(placed[at])
					placed[at] = placed[len(placed)-1]
					placed = placed[:len(placed)-1]
				}
				key := fmt.Sprint("user:", i)
				if rng.IntN(2) == 0 {
					key = "the same" // a hot key cannot break the bound
				}
				had := map[string]bool{}
				for node, n := range r.nodes {
					had[n.ID] = b.Load(n.ID) < bound(r, node, tt.percent, len(placed)+1)
				}
				id := b.Assign(key)
				placed = append(placed, id)
				if want, ok := r.OwnerWithin(key, func(id string) bool { return had[id] }); !ok || id != want {
					t.Fatalf("%s is given to %s, want %q", key, id, want)
				}
			}
			sum := 0
			for _, n := range r.nodes {
				sum += b.Load(n.ID)
			}
			if sum != len(placed) {
				t.Errorf("%d keys are counted, %d placed", sum, len(placed))
			}
		})
	}
}

// The bound holds for every count on the way, and at the end no node has more
// than ⌈(1+ε)·mean⌉.
func TestBoundedIsBoundedAtEveryCount(t *testing.T) {
	r := mustRing(t, some(10, 1)...)
	b := NewBounded(r, 10)
	for i := range 5000 {
		b.Assign(fmt.Sprint("user:", i))
		for node, n := range r.nodes {
			if load, most := b.Load(n.ID), bound(r, node, 10, i+1); load > most {
				t.Fatalf("with %d keys %s has %d, bound %d", i+1, n.ID, load, most)
			}
		}
	}
}

// A node that comes or goes moves little more than its share, when the same
// keys arrive in the same order.
func TestBoundedMovesLittle(t *testing.T) {
	const keys, nodes = 20_000, 20
	place := func(r *Ring) []string {
		b := NewBounded(r, 25)
		owners := make([]string, keys)
		for i := range owners {
			owners[i] = b.Assign(fmt.Sprint("user:", i))
		}
		return owners
	}
	small := mustRing(t, some(nodes, 1)...)
	large := mustRing(t, some(nodes+1, 1)...)
	one, other := place(small), place(large)
	moved := 0
	for i := range one {
		if one[i] != other[i] {
			moved++
		}
	}
	share := 1.0 / (nodes + 1)
	if part := float64(moved) / keys; part < 0.9*share || part > 1.15*share {
		t.Errorf("%.4f of the keys move, the fair share is %.4f", part, share)
	}
}

// When the ring is swapped, those that stay keep their counts.
func TestBoundedSwap(t *testing.T) {
	r := mustRing(t, some(4, 1)...)
	b := NewBounded(r, 0)
	for i := range 400 {
		b.Assign(fmt.Sprint(i))
	}
	without, err := r.Without("node-1")
	if err != nil {
		t.Fatal(err)
	}
	b.Swap(without)
	b.Release("node-1") // is gone
	loads := []int{b.Load("node-0"), b.Load("node-1"), b.Load("node-2"), b.Load("node-3")}
	if !slices.Equal(loads, []int{100, 0, 100, 100}) {
		t.Errorf("loads %v", loads)
	}
	for i := range 100 {
		if id := b.Assign(fmt.Sprint("again ", i)); id == "node-1" {
			t.Fatal("a node that is gone is given a key")
		}
	}
	if b.Load("node-0") > 134 || b.Load("node-0")+b.Load("node-2")+b.Load("node-3") != 400 {
		t.Errorf("loads %d %d %d", b.Load("node-0"), b.Load("node-2"), b.Load("node-3"))
	}
	b.Release("node-0")
	if b.Load("node-0") > 133 {
		t.Error("nothing was released")
	}
}

func TestBoundedConcurrently(t *testing.T) {
	r := mustRing(t, some(8, 2)...)
	b := NewBounded(r, 5)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for i := range 1000 {
				id := b.Assign(fmt.Sprint(g, i))
				if i%2 == 0 {
					b.Release(id)
				}
			}
		})
	}
	wg.Wait()
	sum := 0
	for _, n := range r.nodes {
		sum += b.Load(n.ID)
	}
	if sum != 4000 {
		t.Errorf("%d keys are counted, want 4000", sum)
	}
}

func TestBoundedDoesNotAllocate(t *testing.T) {
	b := NewBounded(mustRing(t, some(16, 1)...), 0)
	if n := testing.AllocsPerRun(1000, func() { b.Release(b.Assign("guild:7")); b.Assign("guild:7") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func TestBoundedNegative(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewBounded(mustRing(t, some(1, 1)...), -1)
}

// BenchmarkBounded assigns and releases: of a node that has room, and through all
// the others of a hot key.
func BenchmarkBounded(b *testing.B) {
	for _, percent := range []int{25, 0} {
		for _, hot := range []bool{false, true} {
			b.Run(fmt.Sprintf("64 nodes/%d %%/hot %v", percent, hot), func(b *testing.B) {
				r, _ := NewRing(some(64, 1)...)
				loads := NewBounded(r, percent)
				elsewhere := 0
				for i := range 10_000 {
					if key := fmt.Sprint("user:", i); loads.Assign(key) != r.Owner(key) {
						elsewhere++
					}
				}
				key := "guild:7"
				if hot {
					for range 1000 {
						loads.Assign(key)
					}
				}
				b.ReportAllocs()
				for i := range b.N {
					if !hot {
						key = benchKeys[i&(len(benchKeys)-1)]
					}
					loads.Release(loads.Assign(key))
				}
				b.ReportMetric(float64(elsewhere)/10_000, "elsewhere")
			})
		}
	}
}
