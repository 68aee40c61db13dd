package batch

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// TestArenaAgainstSlices compares chains in an arena with plain slices.
func TestArenaAgainstSlices(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var a arena[int]
	chains := make([]chain, 4)
	want := make([][]int, len(chains))
	for step := range 20_000 {
		i := r.IntN(len(chains))
		c := &chains[i]
		switch r.IntN(4) {
		case 0, 1:
			a.push(c, step, step%5)
			want[i] = append(want[i], step)
		case 2:
			e := a.measure(c, 1+r.IntN(6), r.IntN(20))
			a.drop(c, e)
			want[i] = want[i][e.count:]
		case 3:
			if n := r.IntN(30); n == 0 && c.count > 1 {
				e := a.measure(c, c.count-1, 1<<30)
				rest := a.cut(c, e)
				if got := a.copy(nil, &rest, rest.count); !slices.Equal(got, want[i][e.count:]) {
					t.Fatalf("step %d: cut off %v, want %v", step, got, want[i][e.count:])
				}
				if got := a.copy(nil, c, c.count); !slices.Equal(got, want[i][:e.count]) {
					t.Fatalf("step %d: left %v, want %v", step, got, want[i][:e.count])
				}
				a.drop(c, c.extent)
				chains[i], want[i] = rest, want[i][e.count:]
			}
		}
		held := 0
		for i, c := range chains {
			bytes := 0
			for _, n := range want[i] {
				bytes += n % 5
			}
			if got := a.copy(nil, &c, c.count); !slices.Equal(got, want[i]) || c.bytes != bytes {
				t.Fatalf("step %d: chain %d = %v of %d bytes, want %v of %d", step, i, got, c.bytes, want[i], bytes)
			}
			held += c.count
		}
		if a.held != held {
			t.Fatalf("step %d: held %d, want %d", step, a.held, held)
		}
	}
}

func TestArenaGivesBackABurst(t *testing.T) {
	var a arena[*int]
	fill := func(n int) {
		var c chain
		for range n {
			a.push(&c, new(int), 0)
		}
		a.drop(&c, c.extent)
	}
	fill(10_000)
	fill(100)
	if got := cap(a.nodes); got > 0 {
		t.Errorf("%d nodes are kept after a cycle of 100", got)
	}
	fill(100)
	fill(100)
	if a.nodes == nil {
		t.Error("the nodes of a steady state are not kept")
	}
	for i, n := range a.nodes {
		if n.item != nil {
			t.Errorf("node %d still holds its item", i)
		}
	}
}

func TestBackoff(t *testing.T) {
	tests := []struct {
		first, most time.Duration
		n           int
		want        time.Duration // the longest; the shortest is its half
	}{
		{50, 5000, 1, 50},
		{50, 5000, 2, 100},
		{50, 5000, 4, 400},
		{50, 5000, 8, 5000},
		{50, 5000, 1 << 40, 5000},
		{50, never, 1 << 40, never},
		{50, 20, 1, 20},
		{0, 5000, 9, 0},
	}
	for _, tt := range tests {
		least, most := never, time.Duration(0)
		for range 500 {
			got := backoff(tt.first, tt.most, tt.n)
			least, most = min(least, got), max(most, got)
		}
		if most > tt.want || least < tt.want/2 {
			t.Errorf("backoff(%d, %d, %d) is in [%d, %d], want [%d, %d]", tt.first, tt.most, tt.n, least, most, tt.want/2, tt.want)
		}
		if tt.want > 1 && most-least < tt.want/4 {
			t.Errorf("backoff(%d, %d, %d) hardly varies: [%d, %d]", tt.first, tt.most, tt.n, least, most)
		}
	}
}
