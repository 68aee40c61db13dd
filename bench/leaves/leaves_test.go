package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"

	cmap "github.com/orcaman/concurrent-map/v2"
)

// BenchmarkLeaves is every scenario with every contestant, for benchstat.
func BenchmarkLeaves(b *testing.B) {
	for _, s := range scenarios() {
		b.Run(s.name, func(b *testing.B) {
			for _, c := range s.contestants() {
				b.Run(c.name, c.bench)
			}
		})
	}
}

// Nobody may win by doing nothing.

func TestRingsGiveOneOwner(t *testing.T) {
	nodes := nodeNames(ringNodes)
	for _, m := range ringMakers {
		t.Run(m.name, func(t *testing.T) {
			owner, again := m.make(nodes), m.make(nodes)
			used := map[string]bool{}
			for _, key := range ringKeys(20_000) {
				got := owner(key)
				if got != again(key) || !slices.Contains(nodes, got) {
					t.Fatalf("%q belongs to %q and %q", key, got, again(key))
				}
				used[got] = true
			}
			if len(used) != ringNodes {
				t.Errorf("%d of %d nodes own something", len(used), ringNodes)
			}
		})
	}
}

func TestBatchersFlushEverythingOnce(t *testing.T) {
	for _, m := range batcherMakers {
		t.Run(m.name, func(t *testing.T) {
			var mu sync.Mutex
			var got []int
			most := 0
			add, end := m.make(func(items []*message) {
				mu.Lock()
				defer mu.Unlock()
				most = max(most, len(items))
				for _, m := range items {
					got = append(got, m.id)
				}
			})
			const n = 10_050
			for i := range n {
				add(&message{i})
			}
			end()
			if len(got) != n || !slices.IsSorted(got) || got[0] != 0 || got[n-1] != n-1 || most != batchItems {
				t.Errorf("%d of %d items, at most %d at a time, sorted: %v", len(got), n, most, slices.IsSorted(got))
			}
		})
	}
}

func TestRegistriesFindTheirOwn(t *testing.T) {
	keys := sessionIDs(1000)
	for _, r := range registries(keys, cmap.New[*conn]()) {
		for i, key := range keys {
			if c, ok := r.get(key); !ok || c.id != uint64(i) {
				t.Errorf("%s: %v, %v", r.name, c, ok)
			}
		}
		if _, ok := r.get("nobody"); ok {
			t.Errorf("%s found nobody", r.name)
		}
	}
}

func TestSpan(t *testing.T) {
	tests := []struct {
		values []float64
		want   span
	}{
		{[]float64{7}, span{7, 7, 7}},
		{[]float64{9, 1}, span{1, 5, 9}},
		{[]float64{3, 1, 2}, span{1, 2, 3}},
		{[]float64{11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, span{2, 6, 10}},
	}
	for _, tt := range tests {
		if got := spanOf(tt.values); got != tt.want {
			t.Errorf("spanOf(%v) = %v, want %v", tt.values, got, tt.want)
		}
	}
}

func TestReport(t *testing.T) {
	figures := []figure{
		{contestant: contestant{name: "gatehouse"}, rounds: []float64{10, 20, 12}},
		{contestant: contestant{name: "slow"}, rounds: []float64{40, 50, 60}},
		{contestant: contestant{name: "fast"}, rounds: []float64{20, 20, 24}, allocs: 1},
	}
	for _, tt := range []struct {
		target  float64
		verdict string
	}{{0, ""}, {9, "MISS"}, {10, "PASS"}} {
		s := scenario{name: "ring_lookup", target: tt.target}
		var out bytes.Buffer
		if err := s.printJSON(&out, figures); err != nil {
			t.Fatal(err)
		}
		var ours line
		if err := json.NewDecoder(&out).Decode(&ours); err != nil {
			t.Fatal(err)
		}
		want := line{Bench: "leaves", Scenario: "ring_lookup", Server: "gatehouse", Metric: "ns", Value: 12, Interval: [2]float64{10, 20},
			VsBest: 0.5, VsRange: [2]float64{0.5, 1}, Target: tt.target, Verdict: tt.verdict}
		if ours != want {
			t.Errorf("target %v:\n got %+v\nwant %+v", tt.target, ours, want)
		}
	}
	figures[0].allocs = 1
	if got := (scenario{target: 99}).verdict(figures[0]); got != "MISS" {
		t.Errorf("with an allocation: %s", got)
	}
	if got := fmt.Sprint(best(figures).name); got != "fast" {
		t.Errorf("best is %s", got)
	}
}
