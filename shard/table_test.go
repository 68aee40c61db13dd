package shard

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

func TestTableSwapsWhole(t *testing.T) {
	a, b := mustRing(t, Node{ID: "a"}), mustRing(t, Node{ID: "b"})
	table := NewTable(a)
	if table.Load() != a {
		t.Error("Load does not return the first ring")
	}
	if old := table.Swap(b); old != a || table.Load() != b {
		t.Error("Swap did not swap")
	}
}

func TestTableAppliesWhatWasPlanned(t *testing.T) {
	a, b := mustRing(t, Node{ID: "a"}), mustRing(t, Node{ID: "b"})
	table := NewTable(a)
	plan := NewPlan(a, b)
	if !table.Apply(plan) || table.Load() != b {
		t.Error("a fresh plan was not applied")
	}
	if table.Apply(plan) || table.Load() != b {
		t.Error("a stale plan was applied")
	}
}

func TestTableUpdateErrors(t *testing.T) {
	a := mustRing(t, Node{ID: "a"})
	table := NewTable(a)
	plan, err := table.Update(func(r *Ring) (*Ring, error) { return r.Without("a") })
	if plan != nil || !errors.Is(err, ErrEmpty) || table.Load() != a {
		t.Errorf("got %v, %v", plan, err)
	}
}

func TestTableRefusesNil(t *testing.T) {
	for name, put := range map[string]func(){
		"NewTable": func() { NewTable(nil) },
		"Swap":     func() { NewTable(mustRing(t, Node{ID: "a"})).Swap(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			put()
		})
	}
}

// Nodes join from several goroutines at once while others look keys up: none of
// them is lost, and each reader sees whole rings, that only grow.
func TestTableLosesNoUpdate(t *testing.T) {
	const joining = 6
	table := NewTable(mustRing(t, Node{ID: "first"}))
	var joins, readers sync.WaitGroup
	done := make(chan struct{})
	for range 2 {
		readers.Go(func() {
			seen := 0
			for {
				r := table.Load()
				if r.Len() < seen || len(r.Owners("key", joining+1)) != r.Len() || r.Owners("key", 1)[0] != r.Owner("key") {
					t.Errorf("a ring of %d nodes after one of %d", r.Len(), seen)
					return
				}
				seen = r.Len()
				select {
				case <-done:
					return
				default:
				}
			}
		})
	}
	for i := range joining {
		joins.Go(func() {
			id := fmt.Sprint(i)
			plan, err := table.Update(func(r *Ring) (*Ring, error) { return r.With(Node{ID: id}) })
			if err != nil {
				t.Error(err)
				return
			}
			for m := range plan.Moves() {
				if m.To != id {
					t.Errorf("the plan of %q has %+v", id, m)
					return
				}
			}
		})
	}
	joins.Wait()
	close(done)
	readers.Wait()
	if got := table.Load().Len(); got != joining+1 {
		t.Errorf("%d nodes, want %d", got, joining+1)
	}
}
