package shard

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
)

// check fails the test if the manager contradicts itself.
func (m *Manager) check(t *testing.T) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	live, total := 0, 0
	for i, s := range m.members {
		if m.ring.nodes[i].ID != strconv.Itoa(s.id) || s.removed || m.leaving[s] {
			t.Errorf("node %q is shard %+v", m.ring.nodes[i].ID, s)
		}
		if m.maxPerShard > 0 && len(s.placed) > m.maxPerShard {
			t.Errorf("%d connections on shard %d, at most %d", len(s.placed), s.id, m.maxPerShard)
		}
		live += len(s.placed)
	}
	for s := range m.leaving {
		if len(s.placed) == 0 || !s.removed {
			t.Errorf("shard %d is kept: %+v", s.id, s)
		}
		total += len(s.placed)
	}
	for _, s := range slices.Concat(m.members, slices.Collect(maps.Keys(m.leaving))) {
		for i, p := range s.placed {
			if int(p.index) != i || p.shard != s {
				t.Errorf("place %d of shard %d is %+v", i, s.id, p)
			}
		}
	}
	if total += live; m.live != live || m.total != total {
		t.Errorf("counted %d live of %d, there are %d of %d", m.live, m.total, live, total)
	}
}

func mustAssign(t *testing.T, m *Manager, key string) *Placement {
	t.Helper()
	p, err := m.Assign(key)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestManagerDefaults(t *testing.T) {
	m := NewManager(Options{})
	for i := range 2500 {
		if p := mustAssign(t, m, fmt.Sprint(i)); p.Shard() != 0 || p.Key() != fmt.Sprint(i) {
			t.Fatalf("%q is on shard %d", p.Key(), p.Shard())
		}
	}
	if p, err := m.Assign("one more"); p != nil || !errors.Is(err, ErrFull) {
		t.Errorf("got %v, %v, want ErrFull", p, err)
	}
	if got, want := m.Counts(), []Count{{Shard: 0, Connections: 2500}}; !slices.Equal(got, want) {
		t.Errorf("Counts() = %v, want %v", got, want)
	}
	m.check(t)
}

func TestManagerWithoutLimit(t *testing.T) {
	m := NewManager(Options{MaxPerShard: -1})
	for range 3000 {
		mustAssign(t, m, "the same key")
	}
	if got := m.Total(); got != 3000 {
		t.Errorf("Total() = %d", got)
	}
	m.check(t)
}

func TestManagerSpillsOverInTheKeysOrder(t *testing.T) {
	m := NewManager(Options{Shards: 5, MaxPerShard: 2})
	for i, id := range m.Ring().Owners("key", 5) {
		for range 2 {
			if p := mustAssign(t, m, "key"); strconv.Itoa(p.Shard()) != id {
				t.Fatalf("preference %d: on shard %d, want %s", i, p.Shard(), id)
			}
		}
	}
	if _, err := m.Assign("key"); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
}

func TestReleaseIsExactAndIdempotent(t *testing.T) {
	m := NewManager(Options{MaxPerShard: 3})
	a, b, c := mustAssign(t, m, "a"), mustAssign(t, m, "b"), mustAssign(t, m, "c")
	for range 3 {
		a.Release()
	}
	if got := m.Total(); got != 2 {
		t.Errorf("Total() = %d after one of three was released", got)
	}
	d := mustAssign(t, m, "d")
	a.Release() // long gone: it may not take d's place away
	if got := m.Total(); got != 3 {
		t.Errorf("Total() = %d, want 3", got)
	}
	m.check(t)
	for _, p := range []*Placement{d, b, c} {
		p.Release()
	}
	if got := m.Total(); got != 0 {
		t.Errorf("Total() = %d, want 0", got)
	}
	m.check(t)
}

func TestManagerErrors(t *testing.T) {
	m := NewManager(Options{Shards: 2})
	for _, tt := range []struct {
		name string
		do   func() (Change, error)
		want error
	}{
		{"add none", func() (Change, error) { return m.Add(0) }, ErrInvalid},
		{"add fewer", func() (Change, error) { return m.Add(-1) }, ErrInvalid},
		{"add too many", func() (Change, error) { return m.Add(MaxNodes - 1) }, ErrTooMany},
		{"add far too many", func() (Change, error) { return m.Add(1<<31 - 1) }, ErrTooMany},
		{"remove an unknown one", func() (Change, error) { return m.Remove(0, 2) }, ErrUnknown},
		{"remove a negative one", func() (Change, error) { return m.Remove(-1) }, ErrUnknown},
		{"remove all", func() (Change, error) { return m.Remove(1, 0) }, ErrEmpty},
	} {
		t.Run(tt.name, func(t *testing.T) {
			ring := m.Ring()
			c, err := tt.do()
			if !errors.Is(err, tt.want) || c.Plan != nil || m.Ring() != ring {
				t.Errorf("got %v, %v, want %v and no change", c, err, tt.want)
			}
		})
	}
	if c, err := m.Add(1); err != nil || !slices.Equal(c.Shards, []int{2}) {
		t.Errorf("what failed has used up an ID: %v, %v", c.Shards, err)
	}
}

func TestNewManagerRefusesTooMany(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	NewManager(Options{Shards: MaxNodes + 1})
}

func TestIDsAreNotGivenAgain(t *testing.T) {
	m := NewManager(Options{Shards: 2})
	if c, err := m.Remove(1, 1); err != nil || !slices.Equal(c.Shards, []int{1}) {
		t.Errorf("removed %v, %v", c.Shards, err)
	}
	if c, err := m.Add(2); err != nil || !slices.Equal(c.Shards, []int{2, 3}) {
		t.Errorf("added %v, %v", c.Shards, err)
	}
	if _, err := m.Remove(1); !errors.Is(err, ErrUnknown) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestManagerGrows(t *testing.T) {
	var grown []int
	var m *Manager
	m = NewManager(Options{MaxPerShard: 3, MaxShards: 4, Grown: func(c Change) {
		m.Counts() // no lock is held
		grown = append(grown, c.Shards...)
		for _, r := range c.Moved {
			if r.To != c.Shards[0] {
				t.Errorf("%q is to move to %d when %v is new", r.Key(), r.To, c.Shards)
			}
		}
	}})
	for i := range 12 {
		mustAssign(t, m, fmt.Sprint(i))
	}
	if _, err := m.Assign("one more"); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if want := []int{1, 2, 3}; !slices.Equal(grown, want) {
		t.Errorf("grown by %v, want %v", grown, want)
	}
	m.check(t)
}

// Many that need a shard at once make one shard, not one each.
func TestManagerGrowsOnceForMany(t *testing.T) {
	m := NewManager(Options{MaxPerShard: 50, MaxShards: 10})
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for j := range 25 {
				if _, err := m.Assign(fmt.Sprint(i, j)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if got := len(m.Counts()); got != 4 {
		t.Errorf("%d shards of 50 for 200 connections", got)
	}
	m.check(t)
}

// What is placed between the change and the walk over the shards that follows it
// has been placed by the new ring, and is not told, even if it spilled over.
func TestMovedLeavesOutWhatCameAfterTheChange(t *testing.T) {
	m := NewManager(Options{Shards: 2, MaxPerShard: 1})
	c, err := m.Add(1)
	if err != nil {
		t.Fatal(err)
	}
	key := ""
	for i := 0; key == ""; i++ { // one whose preference the change moved
		if from, to := c.Plan.Owner(fmt.Sprint(i)); from != to {
			key = fmt.Sprint(i)
		}
	}
	mustAssign(t, m, key)
	if p := mustAssign(t, m, key); p.Shard() == 2 {
		t.Fatal("did not spill over")
	}
	for _, s := range m.members {
		if moved := m.appendMoved(nil, s, c.Plan); len(moved) != 0 {
			t.Errorf("told of %+v", moved[0])
		}
	}
}

// model is the manager as one would write it without caring for time.
type model struct {
	limit  int
	shards []int
	conns  []*conn
}

type conn struct {
	*Placement
	shard int
}

func (m *model) count(shard int) (n int) {
	for _, c := range m.conns {
		if c.shard == shard {
			n++
		}
	}
	return n
}

// preferred returns the shards in the key's order.
func (m *model) preferred(key string) (ids []int) {
	var nodes []Node
	for _, id := range m.shards {
		nodes = append(nodes, Node{ID: strconv.Itoa(id)})
	}
	for _, name := range slowOwners(nodes, key) {
		id, _ := strconv.Atoi(name)
		ids = append(ids, id)
	}
	return ids
}

// place returns the shard for a key, or -1.
func (m *model) place(key string) int {
	for _, id := range m.preferred(key) {
		if m.count(id) < m.limit {
			return id
		}
	}
	return -1
}

// TestManagerFollowsTheModel does the same at random to both and compares all
// that can be seen.
func TestManagerFollowsTheModel(t *testing.T) {
	for seed := range uint64(3) {
		rng := rand.New(rand.NewPCG(seed, 11))
		m := NewManager(Options{Shards: 3, MaxPerShard: 8})
		want := &model{limit: 8, shards: []int{0, 1, 2}}
		changed := func(c Change, err error, shards []int) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
			before := want.shards
			var moved []string
			old := *want
			want.shards = shards
			for _, c := range want.conns {
				if !slices.Contains(before, c.shard) {
					continue // its shard went earlier: it was told then
				}
				from, to := old.preferred(c.Key())[0], want.preferred(c.Key())[0]
				if !slices.Contains(shards, c.shard) || from != to && c.shard != to {
					moved = append(moved, fmt.Sprintf("%p %d", c.Placement, to))
				}
			}
			var got []string
			for _, r := range c.Moved {
				got = append(got, fmt.Sprintf("%p %d", r.Placement, r.To))
			}
			slices.Sort(got)
			slices.Sort(moved)
			if !slices.Equal(got, moved) {
				t.Fatalf("seed %d: told %v, want %v", seed, got, moved)
			}
		}
		for range 600 {
			switch n := rng.IntN(100); {
			case n < 60:
				key := fmt.Sprint(rng.IntN(200))
				shard := want.place(key)
				p, err := m.Assign(key)
				switch {
				case shard < 0 && !errors.Is(err, ErrFull):
					t.Fatalf("seed %d: got %v, want ErrFull", seed, err)
				case shard >= 0 && (err != nil || p.Shard() != shard):
					t.Fatalf("seed %d: got %+v, %v, want shard %d", seed, p, err, shard)
				case shard >= 0:
					want.conns = append(want.conns, &conn{Placement: p, shard: shard})
				}
			case n < 97 && len(want.conns) > 0:
				i := rng.IntN(len(want.conns))
				want.conns[i].Release()
				want.conns[i].Release()
				want.conns = slices.Delete(want.conns, i, i+1)
			case n == 98:
				c, err := m.Add(1 + rng.IntN(2))
				changed(c, err, append(slices.Clone(want.shards), c.Shards...))
			case n == 99 && len(want.shards) > 1:
				i := rng.IntN(len(want.shards))
				c, err := m.Remove(want.shards[i])
				changed(c, err, slices.Delete(slices.Clone(want.shards), i, i+1))
			}
			if m.Total() != len(want.conns) {
				t.Fatalf("seed %d: Total() = %d, want %d", seed, m.Total(), len(want.conns))
			}
			in := 0
			for _, c := range m.Counts() {
				if !c.Removed {
					in++
				}
				if c.Connections != want.count(c.Shard) || c.Removed == slices.Contains(want.shards, c.Shard) {
					t.Fatalf("seed %d: %+v, want %d", seed, c, want.count(c.Shard))
				}
			}
			if in != len(want.shards) {
				t.Fatalf("seed %d: %d shards in service, want %d", seed, in, len(want.shards))
			}
		}
		m.check(t)
	}
}

// Connections come and go from many goroutines while shards do: no shard is ever
// above its limit, and in the end everything has been given back.
func TestManagerUnderLoad(t *testing.T) {
	const limit = 40
	m := NewManager(Options{Shards: 3, MaxPerShard: limit, MaxShards: 5})
	var workers, watchers sync.WaitGroup
	var placed, refused atomic.Int64
	done := make(chan struct{})
	for w := range 4 {
		workers.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(w), 12))
			var mine []*Placement
			for range 1500 {
				if rng.IntN(100) < 55 {
					switch p, err := m.Assign(fmt.Sprint(rng.Uint32())); {
					case err == nil:
						mine = append(mine, p)
						placed.Add(1)
					case errors.Is(err, ErrFull):
						refused.Add(1)
					default:
						t.Error(err)
					}
				} else if len(mine) > 0 {
					i := rng.IntN(len(mine))
					mine[i].Release()
					mine[i] = mine[len(mine)-1]
					mine = mine[:len(mine)-1]
				}
			}
			for _, p := range mine {
				p.Release()
			}
		})
	}
	watchers.Go(func() { // counts
		for {
			for _, c := range m.Counts() {
				if c.Connections > limit {
					t.Errorf("%d connections on shard %d, at most %d", c.Connections, c.Shard, limit)
				}
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	watchers.Go(func() { // changes
		for {
			if c, err := m.Add(1); err != nil {
				t.Error(err)
			} else if _, err = m.Remove(c.Shards[0] - 1); err != nil && !errors.Is(err, ErrUnknown) {
				t.Error(err)
			} else {
				for _, r := range c.Moved {
					if r.To != c.Shards[0] {
						t.Errorf("to move to %d when %v is new", r.To, c.Shards)
					}
				}
			}
			m.check(t)
			select {
			case <-done:
				return
			default:
			}
		}
	})
	workers.Wait()
	close(done)
	watchers.Wait()
	if got := m.Total(); got != 0 {
		t.Errorf("%d connections are left", got)
	}
	for _, c := range m.Counts() {
		if c.Connections != 0 || c.Removed {
			t.Errorf("left: %+v", c)
		}
	}
	m.check(t)
	t.Logf("%d placed, %d refused, last shard %d", placed.Load(), refused.Load(), m.nextID-1)
	if placed.Load() == 0 {
		t.Error("nothing was placed")
	}
}

func TestAssignAllocatesThePlacementOnly(t *testing.T) {
	m := NewManager(Options{Shards: 4})
	mustAssign(t, m, "warm").Release()
	if n := testing.AllocsPerRun(200, func() {
		p, _ := m.Assign("warm")
		p.Release()
	}); n > 1 {
		t.Errorf("%v allocations", n)
	}
}
