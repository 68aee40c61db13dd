package shard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// some returns n nodes with weights 1 to heaviest, in turn.
func some(n, heaviest int) []Node {
	nodes := make([]Node, n)
	for i := range nodes {
		nodes[i] = Node{ID: fmt.Sprintf("node-%d", i), Weight: 1 + i%heaviest}
	}
	return nodes
}

func mustRing(t testing.TB, nodes ...Node) *Ring {
	t.Helper()
	r, err := NewRing(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// slowOwners is the rule of the package comment and nothing else: every node
// draws a number for the key's slot, and they are sorted by it.
func slowOwners(nodes []Node, key string) []string {
	slot := Hash(key) / (1 << 64 / (1 << 19))
	type claim struct {
		id                  string
		number, log, weight uint64
	}
	var claims []claim
	for _, n := range nodes {
		number := mix(Hash(n.ID) + (slot+1)*0x9E3779B97F4A7C15)
		claims = append(claims, claim{n.ID, number, cost(number, octave()), uint64(max(n.Weight, 1))})
	}
	slices.SortFunc(claims, func(a, b claim) int {
		switch x, y := a.log*b.weight, b.log*a.weight; {
		case x < y, x == y && a.number > b.number, x == y && a.number == b.number && a.id < b.id:
			return -1
		}
		return 1
	})
	var ids []string
	for _, c := range claims {
		ids = append(ids, c.id)
	}
	return ids
}

func TestOwnersAreThoseOfTheRule(t *testing.T) {
	for _, tt := range []struct{ nodes, heaviest int }{{1, 1}, {2, 1}, {3, 1}, {17, 1}, {2, 2}, {5, 3}, {20, 7}} {
		t.Run(fmt.Sprintf("%d nodes to weight %d", tt.nodes, tt.heaviest), func(t *testing.T) {
			nodes := some(tt.nodes, tt.heaviest)
			r := mustRing(t, nodes...)
			for i := range 400 {
				key := fmt.Sprintf("key:%d", i)
				want := slowOwners(nodes, key)
				if got := r.Owner(key); got != want[0] {
					t.Fatalf("Owner(%q) = %q, want %q", key, got, want[0])
				}
				for _, n := range []int{-1, 0, 1, 2, 3, 16, 17, tt.nodes, tt.nodes + 1} {
					if got, want := r.Owners(key, n), want[:max(0, min(n, len(want)))]; !slices.Equal(got, want) {
						t.Fatalf("Owners(%q, %d) = %q, want %q", key, n, got, want)
					}
				}
			}
		})
	}
}

func TestEqualWeightsAreNoWeights(t *testing.T) {
	plain, heavy := some(9, 1), some(9, 1)
	for i := range heavy {
		plain[i].Weight, heavy[i].Weight = 0, MaxWeight
	}
	if *mustRing(t, plain...).owner != *mustRing(t, heavy...).owner {
		t.Error("nine nodes of the highest weight own other slots than nine of weight 0")
	}
}

// A weight that differs switches the comparison from scores to logarithms; that
// must move nothing between the nodes that were there.
func TestAnotherWeightMovesNothingBetweenOthers(t *testing.T) {
	r := mustRing(t, some(8, 1)...)
	next, err := r.With(Node{ID: "big", Weight: 12})
	if err != nil {
		t.Fatal(err)
	}
	for slot := range slotCount {
		from, to := r.nodes[r.owner[slot]].ID, next.nodes[next.owner[slot]].ID
		if to != from && to != "big" {
			t.Fatalf("slot %d went from %q to %q", slot, from, to)
		}
	}
}

func TestOrderOfNodesDoesNotMatter(t *testing.T) {
	nodes := some(12, 3)
	want := mustRing(t, nodes...)
	rng := rand.New(rand.NewPCG(7, 8))
	for range 2 {
		rng.Shuffle(len(nodes), func(i, j int) { nodes[i], nodes[j] = nodes[j], nodes[i] })
		if got := mustRing(t, nodes...); *got.owner != *want.owner || !slices.Equal(got.Nodes(), want.Nodes()) {
			t.Fatalf("another ring for the order %v", nodes)
		}
	}
}

// However a ring was reached, it is the ring that its nodes make.
func TestWithAndWithoutMakeTheSameRing(t *testing.T) {
	for _, heaviest := range []int{1, 3} {
		nodes := some(10, heaviest)
		r := mustRing(t, nodes[:4]...)
		step := func(next *Ring, err error, want ...Node) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			if fresh := mustRing(t, want...); *next.owner != *fresh.owner || !slices.Equal(next.Nodes(), fresh.Nodes()) ||
				!slices.Equal(next.seeds, fresh.seeds) || next.weighed != fresh.weighed {
				t.Fatalf("reached another ring than the fresh one of %v", want)
			}
			r = next
		}
		next, err := r.With(nodes[9])
		step(next, err, append(slices.Clone(nodes[:4]), nodes[9])...)
		next, err = r.With(nodes[4:9]...)
		step(next, err, nodes...)
		next, err = r.Without(nodes[0].ID)
		step(next, err, nodes[1:]...)
		next, err = r.Without(nodes[1].ID, nodes[5].ID, nodes[9].ID)
		step(next, err, nodes[2], nodes[3], nodes[4], nodes[6], nodes[7], nodes[8])
		next, err = r.Without(nodes[2].ID, nodes[3].ID, nodes[4].ID, nodes[6].ID, nodes[7].ID)
		step(next, err, nodes[8])
	}
}

// What comes second is who owns the key when the first is gone.
func TestOwnersArePreferences(t *testing.T) {
	r := mustRing(t, some(6, 2)...)
	for i := range 4 {
		key := fmt.Sprint(i)
		owners := r.Owners(key, 6)
		for left, gone := r, 0; gone < 5; gone++ {
			if got := left.Owner(key); got != owners[gone] {
				t.Fatalf("%q is owned by %q without the %d before, want %q", key, got, gone, owners[gone])
			}
			var err error
			if left, err = left.Without(owners[gone]); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func TestRingErrors(t *testing.T) {
	a, b := Node{ID: "a"}, Node{ID: "b"}
	ring := mustRing(t, a, b)
	many := some(MaxNodes+1, 1)
	for _, tt := range []struct {
		name string
		make func() (*Ring, error)
		want error
	}{
		{"no nodes", func() (*Ring, error) { return NewRing() }, ErrEmpty},
		{"no ID", func() (*Ring, error) { return NewRing(a, Node{Weight: 1}) }, ErrInvalid},
		{"negative weight", func() (*Ring, error) { return NewRing(Node{ID: "a", Weight: -1}) }, ErrInvalid},
		{"weight too high", func() (*Ring, error) { return NewRing(Node{ID: "a", Weight: MaxWeight + 1}) }, ErrInvalid},
		{"one twice", func() (*Ring, error) { return NewRing(a, b, a) }, ErrDuplicate},
		{"one twice with other weights", func() (*Ring, error) { return NewRing(a, Node{ID: "a", Weight: 2}) }, ErrDuplicate},
		{"too many", func() (*Ring, error) { return NewRing(many...) }, ErrTooMany},
		{"with one it has", func() (*Ring, error) { return ring.With(Node{ID: "b", Weight: 3}) }, ErrDuplicate},
		{"with one without ID", func() (*Ring, error) { return ring.With(Node{}) }, ErrInvalid},
		{"with too many", func() (*Ring, error) { return ring.With(many[:MaxNodes-1]...) }, ErrTooMany},
		{"without one it lacks", func() (*Ring, error) { return ring.Without("a", "c") }, ErrUnknown},
		{"without any", func() (*Ring, error) { return ring.Without("b", "a") }, ErrEmpty},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := tt.make()
			if r != nil || !errors.Is(err, tt.want) {
				t.Errorf("got %v, %v, want %v", r, err, tt.want)
			}
		})
	}
}

func TestRingKeepsTheCallersNodes(t *testing.T) {
	nodes := []Node{{ID: "b"}, {ID: "a"}}
	r := mustRing(t, nodes...)
	if nodes[0] != (Node{ID: "b"}) || nodes[1] != (Node{ID: "a"}) {
		t.Errorf("the caller's nodes became %v", nodes)
	}
	r.Nodes()[0].ID = "x"
	if got, want := r.Nodes(), []Node{{"a", 1}, {"b", 1}}; !slices.Equal(got, want) {
		t.Errorf("Nodes() = %v, want %v", got, want)
	}
	if r.Len() != 2 {
		t.Errorf("Len() = %d, want 2", r.Len())
	}
}

func TestLookupsDoNotAllocate(t *testing.T) {
	for _, heaviest := range []int{1, 3} {
		r := mustRing(t, some(20, heaviest)...)
		key := strings.Repeat("k", 50)
		if n := testing.AllocsPerRun(100, func() { r.Owner(key) }); n != 0 {
			t.Errorf("Owner: %v allocations", n)
		}
		dst := make([]string, 0, 16)
		if n := testing.AllocsPerRun(100, func() { r.AppendOwners(dst, key, 16) }); n != 0 {
			t.Errorf("AppendOwners of 16: %v allocations", n)
		}
	}
}

// FuzzRing makes rings of arbitrary IDs and weights and asks them for arbitrary keys.
func FuzzRing(f *testing.F) {
	f.Add("a,b,c", []byte{1, 1, 1}, "key")
	f.Add("a,b,c,d", []byte{1, 2, 255, 0}, "")
	f.Add("a,a", []byte{}, "key")
	f.Add(",", []byte{9}, "\x00\xff")
	f.Fuzz(func(t *testing.T, ids string, weights []byte, key string) {
		if len(ids) > 50 {
			return
		}
		var nodes []Node
		for i, id := range strings.Split(ids, ",") {
			n := Node{ID: id}
			if i < len(weights) {
				n.Weight = int(weights[i]) * 257
			}
			nodes = append(nodes, n)
		}
		r, err := NewRing(nodes...)
		if err != nil {
			if !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrDuplicate) {
				t.Fatalf("%q: %v", ids, err)
			}
			return
		}
		if got, want := r.Owners(key, len(nodes)), slowOwners(nodes, key); r.Owner(key) != want[0] || !slices.Equal(got, want) {
			t.Errorf("%v: Owner(%q) = %q, Owners %q, want %q", nodes, key, r.Owner(key), got, want)
		}
	})
}
