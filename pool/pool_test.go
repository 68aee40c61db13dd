package pool

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestDefaults(t *testing.T) {
	p := New[int, int](Options{})
	if got := p.Stats().Max; got != 10_000 {
		t.Errorf("Max = %d, want 10000", got)
	}
	for i := range 10_000 {
		if err := p.Add(i, i); err != nil {
			t.Fatalf("Add %d: %v", i, err)
		}
	}
	if err := p.Add(-1, 0); err != ErrFull {
		t.Errorf("Add above Max: %v, want ErrFull", err)
	}
	if _, ok := p.Remove(7); !ok {
		t.Error("Remove did not find its entry")
	}
	if err := p.Add(-1, 0); err != nil {
		t.Errorf("Add after Remove: %v", err)
	}
	if got := p.Stats().Full; got != 1 {
		t.Errorf("Stats.Full = %d, want 1", got)
	}
}

func TestOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[int, int](Options{Max: -1, IdleAfter: -1})
		for i := range 20_000 {
			if err := p.Add(i, i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(1000 * time.Hour)
		p.Touch(1)
		if got := p.Stats(); got.Max != -1 || got.Active != 20_000 || got.Idle != 0 {
			t.Errorf("Stats = %+v", got)
		}
	})
}

// TestIdleGranularity pins the promise: not before IdleAfter, and an eighth of it later at the latest, wherever in a
// step the touch was.
func TestIdleGranularity(t *testing.T) {
	const after = 8 * time.Second
	for _, offset := range []time.Duration{0, 1, time.Second / 2, time.Second - 1} {
		synctest.Test(t, func(t *testing.T) {
			p := New[string, int](Options{IdleAfter: after})
			time.Sleep(3*time.Second + offset)
			if err := p.Add("a", 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(after)
			if got := p.Stats(); got.Idle != 0 {
				t.Errorf("offset %v: idle after exactly IdleAfter", offset)
			}
			for range p.EvictIdle() {
				t.Errorf("offset %v: evicted after exactly IdleAfter", offset)
			}
			time.Sleep(after / 8)
			if got := p.Stats(); got.Idle != 1 || got.Active != 0 {
				t.Errorf("offset %v: not idle an eighth later: %+v", offset, got)
			}
			if !p.Touch("a") {
				t.Error("Touch did not find its entry")
			}
			if got := p.Stats(); got.Idle != 0 || got.Active != 1 {
				t.Errorf("offset %v: idle after Touch: %+v", offset, got)
			}
		})
	}
}

func TestEvictIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		user := Label{"user", "7"}
		p := New[int, int](Options{IdleAfter: time.Minute})
		for i := range 100 {
			if err := p.Add(i, i, user); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Minute)
		if err := p.Add(100, 100); err != nil {
			t.Fatal(err)
		}
		seen := 0
		for key := range p.EvictIdle() {
			seen++
			if _, ok := p.Get(key); ok {
				t.Errorf("%d is still there when the loop gets it", key)
			}
			if seen == 1 { // what is touched meanwhile stays: all the others
				for i := range 100 {
					p.Touch(i)
				}
			}
		}
		if s := p.Stats(); seen != 1 || s.Total != 100 || s.Evicted != 1 || p.Count(user) != 99 {
			t.Errorf("%d evicted, %d with the label, %+v", seen, p.Count(user), s)
		}
		time.Sleep(2 * time.Minute)
		for range p.EvictIdle() {
			break // leaves the rest
		}
		if s := p.Stats(); s.Total != 99 || s.Idle != 99 {
			t.Errorf("after a loop left early: %+v", s)
		}
	})
}

func TestIterationAllowsEveryCall(t *testing.T) {
	p := New[int, int](Options{})
	for i := range 1000 {
		if err := p.Add(i, i, Label{"user", "7"}); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for key := range p.All() {
		n++
		p.Touch(key)
		p.Remove(key)
		if key%2 == 0 { // one that has not come yet, or has
			p.Remove((key + 500) % 1000)
		}
		_ = p.Stats()
		for range p.With(Label{"user", "7"}) {
			break
		}
	}
	if n >= 1000 || n < 500 || p.Stats().Total != 0 {
		t.Errorf("%d came, %+v", n, p.Stats())
	}
	for _, id := range []int{1, 2, 3} {
		if err := p.Add(id, id, Label{"user", "8"}); err != nil {
			t.Fatal(err)
		}
	}
	n = 0
	for range p.With(Label{"user", "8"}) {
		n++
		for id := range p.With(Label{"user", "8"}) {
			p.Remove(id)
		}
	}
	if n != 1 {
		t.Errorf("%d entries came from With after all were removed", n-1)
	}
	for range p.All() {
		t.Error("an empty pool gave an entry")
	}
}

func TestNothingComesAfterItsRemoval(t *testing.T) {
	p := New[int, int](Options{})
	for i := range 1000 {
		if err := p.Add(i, i); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	for range p.All() {
		n++
		for i := range 1000 {
			p.Remove(i)
		}
	}
	if n != 1 {
		t.Errorf("%d entries came after all were removed", n-1)
	}
}

// Two evictions, one within the other: each entry goes once.
func TestEvictIdleTwiceAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := New[int, int](Options{})
		for i := range 1000 {
			if err := p.Add(i, i); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Hour)
		n := 0
		for range p.EvictIdle() {
			n++
			for range p.EvictIdle() {
				n++
			}
		}
		if s := p.Stats(); n != 1000 || s.Total != 0 || s.Idle != 0 || s.Evicted != 1000 {
			t.Errorf("%d of 1000 evicted, %+v", n, s)
		}
		consistent(t, p)
	})
}

// A clock that falls back wakes nobody up and loses nobody.
func TestClockFallsBack(t *testing.T) {
	now := time.Unix(0, 0)
	p := New[int, int](Options{IdleAfter: time.Minute, Now: func() time.Time { return now }})
	for i := range 2 {
		if err := p.Add(i, i); err != nil {
			t.Fatal(err)
		}
	}
	now = now.Add(time.Hour)
	if got := p.Stats().Idle; got != 2 {
		t.Fatalf("Idle = %d after an hour, want 2", got)
	}
	now = time.Unix(0, 0)
	p.Touch(0)
	if s := p.Stats(); s.Idle != 1 || s.Active != 1 {
		t.Errorf("after a Touch in the past: %+v", s)
	}
	for key := range p.EvictIdle() {
		if key != 1 {
			t.Errorf("%d was evicted", key)
		}
	}
	if s := p.Stats(); s.Total != 1 || s.Idle != 0 {
		t.Errorf("after EvictIdle in the past: %+v", s)
	}
	consistent(t, p)
}

func TestLimitErrorSaysWhich(t *testing.T) {
	p := New[int, int](Options{Limits: map[string]int{"user": 1, "address": 2}})
	home, ann := Label{"address", "192.0.2.1"}, Label{"user", "ann"}
	for i := range 2 {
		if err := p.Add(i, i, home); err != nil {
			t.Fatal(err)
		}
	}
	err := p.Add(2, 2, Label{"device", "x"}, home)
	limit, ok := errors.AsType[*LimitError](err)
	if !ok || limit.Label != home || limit.Limit != 2 || !errors.Is(err, ErrLimit) {
		t.Errorf("Add: %v", err)
	}
	if got := p.Count(Label{"device", "x"}); got != 0 {
		t.Errorf("a failed Add left %d labels", got)
	}
	if err := p.Attach(0, ann); err != nil {
		t.Errorf("Attach: %v", err)
	}
	if err := p.Attach(0, ann); err != nil {
		t.Errorf("Attach of what it has: %v", err)
	}
	if err := p.Attach(1, ann); !errors.Is(err, ErrLimit) {
		t.Errorf("Attach above the limit: %v", err)
	}
	if err := p.Attach(9, ann); err != ErrUnknown {
		t.Errorf("Attach to nothing: %v", err)
	}
	p.Remove(0)
	if err := p.Attach(1, ann); err != nil {
		t.Errorf("Attach after Remove: %v", err)
	}
	p.Detach(1, ann)
	if got, want := err.Error(), `pool: limit reached: 2 with address "192.0.2.1"`; got != want {
		t.Errorf("text %q, want %q", got, want)
	}
	if got := p.Stats().Limited; got != 2 {
		t.Errorf("Stats.Limited = %d, want 2", got)
	}
}

func TestTheCallersMapIsCopied(t *testing.T) {
	limits := map[string]int{"user": 1}
	p := New[int, int](Options{Limits: limits})
	limits["user"] = 9
	_ = p.Add(1, 1, Label{"user", "a"})
	if err := p.Add(2, 2, Label{"user", "a"}); !errors.Is(err, ErrLimit) {
		t.Errorf("the limit changed with the caller's map: %v", err)
	}
}

func TestNoAllocations(t *testing.T) {
	p := New[string, *int](Options{})
	_ = p.Add("a", new(int))
	if n := testing.AllocsPerRun(1000, func() { p.Get("a"); p.Touch("a"); p.Stats() }); n != 0 {
		t.Errorf("Get, Touch and Stats allocate %v times", n)
	}
}

// An entry is one object, and a label one; a label that nobody else bears is two more.
func TestAllocationsOfAnEntry(t *testing.T) {
	p := New[string, *int](Options{})
	home := Label{"address", "192.0.2.1"}
	for _, id := range []string{"a", "b", "c"} { // so that the table and home's list have room
		_ = p.Add(id, nil, home)
	}
	p.Remove("c")
	for _, tt := range []struct {
		name   string
		labels []Label
		want   float64
	}{
		{"no label", nil, 1},
		{"a label of others", []Label{home}, 2},
		{"one of its own", []Label{{"user", "ann"}}, 4},
	} {
		p.Add("x", nil, tt.labels...)
		p.Remove("x")
		if n := testing.AllocsPerRun(1000, func() { _ = p.Add("x", nil, tt.labels...); p.Remove("x") }); n != tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, n, tt.want)
		}
	}
}
