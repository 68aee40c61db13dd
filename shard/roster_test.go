package shard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// moody is a directory that can be out of reach, or forget all.
type moody struct {
	*MemoryDirectory
	away, empty atomic.Bool
}

var errAway = errors.New("away")

func newMoody() *moody { return &moody{MemoryDirectory: NewMemoryDirectory()} }

func (d *moody) Announce(ctx context.Context, m Member, lease time.Duration) error {
	if d.away.Load() {
		return errAway
	}
	return d.MemoryDirectory.Announce(ctx, m, lease)
}

func (d *moody) Members(ctx context.Context) ([]Member, error) {
	if d.away.Load() {
		return nil, errAway
	}
	members, err := d.MemoryDirectory.Members(ctx)
	if d.empty.Load() {
		members = nil
	}
	return members, err
}

// forget has it lose all, as a server that is started anew.
func (d *moody) forget() {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.members)
}

// witness writes down what OnChange is told.
type witness struct {
	mu   sync.Mutex
	said []string
}

func (w *witness) told(_ context.Context, was, now *View) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said = append(w.said, names(was)+"→"+names(now))
}

func (w *witness) want(t *testing.T, want ...string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if got := strings.Join(w.said, " "); got != strings.Join(want, " ") {
		t.Errorf("told %q, want %q", got, want)
	}
}

func names(v *View) (ids string) {
	for _, m := range v.Members() {
		ids += m.ID
	}
	return ids
}

func join(t *testing.T, d Directory, id string, o RosterOptions) *Roster {
	t.Helper()
	if id != "" {
		o.Self = Member{ID: id, Addr: id + ":80"}
	}
	r, err := Join(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func leave(t *testing.T, rosters ...*Roster) {
	t.Helper()
	for _, r := range rosters {
		if err := r.Leave(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

// die has a node renew nothing any more, as one that is killed.
func (r *Roster) die() {
	r.mu.Lock()
	r.left = true
	r.mu.Unlock()
	r.stop()
	r.keeping.Wait()
	r.telling.Wait()
}

// Nodes see each other come, leave and die, each once, when it has settled; a leave sooner than a death.
func TestRosterComesAndGoes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewMemoryDirectory()
		var w witness
		a := join(t, d, "a", RosterOptions{OnChange: w.told})
		b := join(t, d, "b", RosterOptions{})
		if names(b.View()) != "ab" || names(a.View()) != "a" {
			t.Errorf("at first %q and %q", names(b.View()), names(a.View()))
		}
		time.Sleep(7 * time.Second) // it is seen after at most 2 s, and has to last 6
		w.want(t)
		time.Sleep(2 * time.Second)
		w.want(t, "a→ab")
		leave(t, b)
		time.Sleep(9 * time.Second)
		w.want(t, "a→ab", "ab→a")
		c := join(t, d, "c", RosterOptions{})
		time.Sleep(time.Minute)
		c.die()
		time.Sleep(9 * time.Second) // of which the lease takes at least 4
		w.want(t, "a→ab", "ab→a", "a→ac")
		time.Sleep(7 * time.Second)
		w.want(t, "a→ab", "ab→a", "a→ac", "ac→a")
		time.Sleep(time.Hour)
		w.want(t, "a→ab", "ab→a", "a→ac", "ac→a")
		leave(t, a)
		leave(t, a)
		if members, _ := d.Members(context.Background()); len(members) > 0 {
			t.Errorf("%v are members", members)
		}
	})
}

// A node that restarts under its own name has changed nothing; a roll of nodes with new names is one
// change, if it is quick.
func TestRosterOfARoll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewMemoryDirectory()
		var w witness
		watch := join(t, d, "", RosterOptions{OnChange: w.told})
		a := join(t, d, "a", RosterOptions{})
		time.Sleep(time.Minute)
		leave(t, a)
		time.Sleep(3 * time.Second)
		a = join(t, d, "a", RosterOptions{})
		time.Sleep(time.Minute)
		w.want(t, "→a")
		b := join(t, d, "b", RosterOptions{})
		time.Sleep(time.Second)
		leave(t, a)
		c := join(t, d, "c", RosterOptions{})
		time.Sleep(time.Minute)
		w.want(t, "→a", "a→bc")
		leave(t, watch, b, c)
	})
}

// A directory that is away changes nothing, and nobody is sent to the first who is there when it comes
// back empty.
func TestRosterOfADirectoryThatIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newMoody()
		var w witness
		var all []*Roster
		for _, id := range []string{"a", "b", "c"} {
			all = append(all, join(t, d, id, RosterOptions{}))
			time.Sleep(500 * time.Millisecond)
		}
		all = append(all, join(t, d, "", RosterOptions{OnChange: w.told}))
		time.Sleep(time.Minute)
		for _, r := range all {
			if r.Err() != nil || names(r.View()) != "abc" {
				t.Errorf("%q, %v", names(r.View()), r.Err())
			}
		}
		d.away.Store(true)
		time.Sleep(time.Minute)
		for _, r := range all {
			if !errors.Is(r.Err(), errAway) || names(r.View()) != "abc" {
				t.Errorf("while it is away: %q, %v", names(r.View()), r.Err())
			}
		}
		d.forget()
		d.away.Store(false)
		time.Sleep(time.Minute)
		for _, r := range all {
			if r.Err() != nil || names(r.View()) != "abc" {
				t.Errorf("when it is back: %q, %v", names(r.View()), r.Err())
			}
		}
		w.want(t)
		d.empty.Store(true) // it does not say what it was told
		time.Sleep(time.Minute)
		if r := all[0]; !errors.Is(r.Err(), errAbsent) || names(r.View()) != "abc" {
			t.Errorf("when it says nonsense: %q, %v", names(r.View()), r.Err())
		}
		d.empty.Store(false)
		leave(t, all...)
	})
}

// A call of OnChange is aborted by the next change and by Leave; the next one begins when it has returned, and is told
// of all since.
func TestRosterAborts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewMemoryDirectory()
		var w witness
		var running atomic.Int32
		watch := join(t, d, "", RosterOptions{Settle: -1, OnChange: func(ctx context.Context, was, now *View) {
			if running.Add(1) > 1 {
				t.Error("two at a time")
			}
			defer running.Add(-1)
			w.told(ctx, was, now)
			<-ctx.Done()
			time.Sleep(10 * time.Second) // it takes a moment
		}})
		a := join(t, d, "a", RosterOptions{})
		time.Sleep(time.Minute)
		w.want(t, "→a")
		b := join(t, d, "b", RosterOptions{})
		time.Sleep(5 * time.Second)
		c := join(t, d, "c", RosterOptions{})
		time.Sleep(time.Minute)
		w.want(t, "→a", "a→abc")
		began := time.Now()
		leave(t, watch)
		if took := time.Since(began); took != 10*time.Second || running.Load() != 0 {
			t.Errorf("Leave took %v", took)
		}
		leave(t, a, b, c)
	})
}

// Leave heeds its context, and has left all the same.
func TestRosterLeavesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := NewMemoryDirectory()
		release := make(chan struct{})
		a := join(t, d, "a", RosterOptions{Settle: -1, OnChange: func(context.Context, *View, *View) { <-release }})
		b := join(t, d, "b", RosterOptions{})
		time.Sleep(time.Minute)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := a.Leave(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Leave returned %v", err)
		}
		if got, _ := d.Members(t.Context()); len(got) != 1 {
			t.Errorf("the members are %v", got)
		}
		close(release)
		leave(t, b)
	})
}

func TestJoinRefuses(t *testing.T) {
	d := newMoody()
	for name, tt := range map[string]struct {
		self Member
		away bool
		want error
	}{
		"no name":   {Member{Addr: "a:80"}, false, ErrInvalid},
		"negative":  {Member{ID: "a", Weight: -1}, false, ErrInvalid},
		"too heavy": {Member{ID: "a", Weight: MaxWeight + 1}, false, ErrInvalid},
		"away":      {Member{ID: "a"}, true, errAway},
	} {
		d.away.Store(tt.away)
		if r, err := Join(t.Context(), d, RosterOptions{Self: tt.self}); !errors.Is(err, tt.want) || r != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What a view says is what its ring does.
func TestView(t *testing.T) {
	members := []Member{{ID: "a", Addr: "10.0.0.1:80", URL: "wss://a"}, {ID: "b", Weight: 3, Addr: "10.0.0.2:80"}, {ID: "c"}, {ID: "d", Addr: "10.0.0.1:80"}}
	v, err := newView(members)
	if err != nil {
		t.Fatal(err)
	}
	ring := mustRing(t, Node{ID: "d"}, Node{ID: "c"}, Node{ID: "b", Weight: 3}, Node{ID: "a"})
	for i := range 1000 {
		key := fmt.Sprint("user:", i)
		if got := v.Owner(key); got.ID != ring.Owner(key) || got.ID != v.Ring().Owner(key) {
			t.Fatalf("%s is owned by %v, want %s", key, got, ring.Owner(key))
		}
	}
	if got, want := fmt.Sprint(v.Servers()), "[{10.0.0.1:80 0} {10.0.0.2:80 3}]"; got != want {
		t.Errorf("the servers are %s, want %s", got, want)
	}
	v.Members()[0].ID = "z"
	if names(v) != "abcd" {
		t.Errorf("a View has changed to %q", names(v))
	}
	none, err := newView(nil)
	if err != nil || none.Owner("k") != (Member{}) || none.Ring() != nil || len(none.Servers()) != 0 {
		t.Errorf("a view of nobody: %+v, %v", none, err)
	}
}
