package presence_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

var errAway = errors.New("the store is away")

// wire is a tracker's way to the store: it counts, and can be cut.
type wire struct {
	mu      sync.Mutex
	store   presence.Store
	away    bool // nothing comes through
	deaf    bool // what is put is taken, and nobody is told
	calls   map[string]int
	written int // entries
}

func newWire(s presence.Store) *wire { return &wire{store: s, calls: make(map[string]int)} }

func (w *wire) through(ctx context.Context, what string) (presence.Store, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls[what]++
	if w.away {
		return nil, errAway
	}
	return w.store, ctx.Err()
}

func (w *wire) Put(ctx context.Context, entries ...presence.Entry) error {
	s, err := w.through(ctx, "put")
	if err != nil {
		return err
	}
	w.mu.Lock()
	w.written += len(entries)
	deaf := w.deaf
	w.mu.Unlock()
	if err := s.Put(ctx, entries...); err != nil || !deaf {
		return err
	}
	return errAway
}

func (w *wire) Renew(ctx context.Context, node string, lease time.Duration) (bool, error) {
	s, err := w.through(ctx, "renew")
	if err != nil {
		return false, err
	}
	return s.Renew(ctx, node, lease)
}

func (w *wire) Sweep(ctx context.Context, node string) ([]presence.Entry, error) {
	s, err := w.through(ctx, "sweep")
	if err != nil {
		return nil, err
	}
	return s.Sweep(ctx, node)
}

func (w *wire) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	s, err := w.through(ctx, "since")
	if err != nil {
		return nil, cursor, err
	}
	return s.Since(ctx, cursor)
}

func (w *wire) set(change func(w *wire)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	change(w)
}

// took returns what was called since the last took.
func (w *wire) took() (calls map[string]int, written int) {
	w.set(func(w *wire) {
		calls, written = w.calls, w.written
		w.calls, w.written = make(map[string]int), 0
	})
	return calls, written
}

// team is trackers with one store. Each watches topic g, and notes what it is told.
type team struct {
	t        *testing.T
	wires    []*wire
	trackers []*presence.Tracker
	told     []*recorder
}

// together runs a test in virtual time with n trackers, to whose topic users belong.
func together(t *testing.T, n int, users []string, test func(c *team)) {
	synctest.Test(t, func(t *testing.T) {
		c := &team{t: t}
		store := presence.NewMemoryStore()
		for i := range n {
			w, r := newWire(store), &recorder{t: t}
			tr, err := presence.New(presence.Options{Store: w, Node: fmt.Sprint("node", i), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			for _, user := range users {
				tr.Join("g", user)
			}
			tr.Watch("g", func(_ string, changes []presence.Change) { r.note(changes) })
			c.wires, c.trackers, c.told = append(c.wires, w), append(c.trackers, tr), append(c.told, r)
		}
		test(c)
		for _, tr := range c.trackers {
			if err := tr.Close(t.Context()); err != nil && !errors.Is(err, presence.ErrClosed) {
				t.Error(err)
			}
		}
	})
}

// want is what each of the trackers, from the first on, was told.
func (c *team) want(first int, want string) {
	c.t.Helper()
	for _, r := range c.told[first:] {
		r.want(want)
	}
}

func (c *team) set(node int, session string) {
	c.t.Helper()
	if err := c.trackers[node].Set(c.t.Context(), dev(session, presence.Online)); err != nil {
		c.t.Fatal(err)
	}
}

// What the store is asked in a minute in which nothing happens does not depend on how many people are online.
func TestQuietCost(t *testing.T) {
	for _, people := range []int{10, 10_000} {
		together(t, 1, nil, func(c *team) {
			for i := range people {
				d := presence.Device{User: fmt.Sprint("u", i), Session: "s"}
				if err := c.trackers[0].Set(c.t.Context(), d); err != nil {
					t.Fatal(err)
				}
			}
			pause(window)
			c.wires[0].took()
			pause(time.Minute)
			calls, written := c.wires[0].took()
			if got := fmt.Sprint(calls); got != "map[renew:12 since:600 sweep:12]" || written != 0 {
				t.Errorf("%d people for a minute cost %s and %d entries", people, got, written)
			}
		})
	}
}

// Everybody is cut off, and comes back in time.
func TestReconnectStorm(t *testing.T) {
	for _, storm := range []struct {
		name    string
		people  int
		to      int // which node; they were on the first
		after   time.Duration
		written int // entries of each
	}{
		{"within Blip", 100_000, 0, 4 * time.Second, 0},
		{"later within Grace", 10_000, 0, 30 * time.Second, 2},     // it was lost, it is back
		{"to another node", 10_000, 1, 4 * time.Second, 1},         // whose it is now
		{"to another node, later", 10_000, 1, 30 * time.Second, 2}, // it was lost, it is another's
	} {
		t.Run(storm.name, func(t *testing.T) {
			users := make([]string, storm.people)
			for i := range users {
				users[i] = fmt.Sprint("u", i)
			}
			together(t, storm.to+1, users, func(c *team) {
				set := func(node int) {
					for _, user := range users {
						if err := c.trackers[node].Set(c.t.Context(), presence.Device{User: user, Session: "s"}); err != nil {
							c.t.Fatal(err)
						}
					}
				}
				set(0)
				pause(window)
				for i, r := range c.told {
					r.told = nil
					c.wires[i].took()
				}
				for _, user := range users {
					c.trackers[0].Leave(c.t.Context(), user, "s")
				}
				pause(storm.after)
				set(storm.to)
				pause(2 * time.Minute)
				written, calls := 0, 0
				for _, w := range c.wires {
					all, n := w.took()
					written, calls = written+n, calls+all["put"]
				}
				c.t.Logf("%d reconnects: %d entries were written in %d calls", storm.people, written, calls)
				if written != storm.written*storm.people {
					c.t.Errorf("%d entries were written, want %d of each", written, storm.written)
				}
				c.want(0, "[]")
			})
		})
	}
}

// A node that the store does not hear of for longer than its lease loses nobody, if it is back in the grace period.
func TestCutOff(t *testing.T) {
	together(t, 3, []string{"ann"}, func(c *team) {
		c.set(0, "a")
		pause(window)
		c.want(0, "[ann online]")
		c.wires[0].set(func(w *wire) { w.away = true })
		pause(50 * time.Second) // the lease, and half a minute
		c.wires[0].set(func(w *wire) { w.away = false })
		pause(3 * time.Minute)
		c.want(0, "[]")
		c.trackers[0].Leave(c.t.Context(), "ann", "a")
		pause(time.Minute)
		c.want(0, "[ann offline]")
	})
}

// Who says of a connection that is here that it is not, is told so: one that moved before the first node knew.
func TestMoved(t *testing.T) {
	together(t, 3, []string{"ann"}, func(c *team) {
		c.set(0, "a")
		pause(window)
		c.want(0, "[ann online]")
		c.set(1, "a")
		c.trackers[0].Leave(c.t.Context(), "ann", "a")
		pause(3 * time.Minute)
		c.set(0, "a")
		c.trackers[1].Remove(c.t.Context(), "ann", "a") // it has not heard
		pause(3 * time.Minute)
		if told := c.told[2].take(); told != "[]" && told != "[ann offline ann online]" {
			t.Errorf("told %s", told)
		}
		for i, tr := range c.trackers {
			if s := tr.Get("ann").Status; s != presence.Online {
				t.Errorf("node %d sees %s", i, s)
			}
		}
	})
}

// A node that says later that a connection was lost, and is over, is answered by the one that has it.
func TestContradicted(t *testing.T) {
	together(t, 2, []string{"ann"}, func(c *team) {
		c.set(0, "a")
		pause(window)
		c.want(0, "[ann online]")
		now := time.Now()
		lost := presence.Entry{User: "ann", Session: "a", Node: "node1", Version: uint64(now.UnixNano()), Platform: "a", Status: presence.Online, At: now, Left: now}
		if err := c.wires[1].store.Put(c.t.Context(), lost); err != nil {
			c.t.Fatal(err)
		}
		pause(3 * time.Minute)
		c.want(0, "[]")
	})
}

// What the store does not take is put when it does; what it has taken all the same does no harm.
func TestStoreFails(t *testing.T) {
	together(t, 2, []string{"ann"}, func(c *team) {
		ctx, a := c.t.Context(), c.trackers[0]
		pause(window)
		c.wires[0].set(func(w *wire) { w.away = true })
		if err := a.Set(ctx, dev("a", presence.Online)); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		pause(window)
		c.want(0, "[]")
		c.wires[0].set(func(w *wire) { w.away = false })
		pause(2 * window)
		c.want(0, "[ann online]")
		c.wires[0].set(func(w *wire) { w.away = true })
		if err := a.Remove(ctx, "ann", "a"); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		c.wires[0].set(func(w *wire) { w.away = false })
		pause(2 * window)
		c.want(0, "[ann offline]")

		c.wires[0].set(func(w *wire) { w.deaf = true })
		if err := a.Set(ctx, dev("b", presence.Online)); !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		if err := a.Remove(ctx, "ann", "b"); err != nil { // there was no such device
			t.Fatal(err)
		}
		c.wires[0].set(func(w *wire) { w.deaf = false })
		pause(window)
		c.want(0, "[ann online]") // so the store says
		pause(time.Minute)
		c.want(0, "[ann offline]")
	})
}

// The store loses everything while a node is dead: what lives is put again, and what does not goes, once.
func TestStoreIsEmptied(t *testing.T) {
	const each = 5000
	var users []string
	for i := range 3 * each {
		users = append(users, fmt.Sprint("u", i))
	}
	together(t, 3, users, func(c *team) {
		for i, user := range users {
			if err := c.trackers[i%3].Set(c.t.Context(), presence.Device{User: user, Session: "s"}); err != nil {
				t.Fatal(err)
			}
		}
		pause(window)
		for _, r := range c.told {
			r.take()
		}
		kill(c.trackers[0])
		pause(time.Second)
		empty := presence.NewMemoryStore()
		for _, w := range c.wires {
			w.set(func(w *wire) { w.store = empty })
			w.took()
		}
		pause(10 * time.Second)
		all, _, _ := empty.Since(c.t.Context(), 0)
		if len(all) != 2*each {
			t.Errorf("%d of %d are there again", len(all), 2*each)
		}
		calls, written := c.wires[1].took()
		t.Logf("%d entries were put again in %d calls", written, calls["put"])
		if written != each || calls["put"] > 20 {
			t.Errorf("%d entries were put again in %d calls", written, calls["put"])
		}
		pause(3 * time.Minute)
		for i, r := range c.told[1:] {
			told := r.take()
			if n := strings.Count(told, "offline"); n != each || strings.Contains(told, "online") {
				t.Errorf("node %d was told of %d who went, %.100s", i+1, n, told)
			}
		}
	})
}

// A node that has the name of one before ends what that has left.
func TestSameName(t *testing.T) {
	together(t, 1, []string{"ann", "bob"}, func(c *team) {
		c.set(0, "a")
		c.trackers[0].Set(c.t.Context(), presence.Device{User: "bob", Session: "b"})
		pause(window)
		kill(c.trackers[0])
		again, err := presence.New(presence.Options{Store: c.wires[0].store, Node: "node0"})
		if err != nil {
			t.Fatal(err)
		}
		again.Set(c.t.Context(), dev("a", presence.Online))
		pause(2 * time.Minute)
		if a, b := again.Get("ann").Status, again.Get("bob").Status; a != presence.Online || b != presence.Offline {
			t.Errorf("ann is %s, bob is %s", a, b)
		}
		again.Close(c.t.Context())
	})
}

// Those of a dead node that nobody has joined to a topic elsewhere are told of where the application says.
func TestTopicsOfStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := presence.NewMemoryStore()
		r := &recorder{t: t}
		asked := 0
		a, err := presence.New(presence.Options{Store: store})
		if err != nil {
			t.Fatal(err)
		}
		b, err := presence.New(presence.Options{
			Store:   store,
			Topics:  func(user string) []string { asked++; return []string{"home of " + user, "g"} },
			Publish: func(topic string, changes []presence.Change) { r.note(changes); r.told = append(r.told, topic) },
		})
		if err != nil {
			t.Fatal(err)
		}
		a.Set(t.Context(), dev("a", presence.Online))
		pause(window)
		kill(a)
		pause(3 * time.Minute)
		if told := r.take(); asked != 1 || strings.Count(told, "ann offline") != 2 || !strings.Contains(told, "home of ann") {
			t.Errorf("asked %d times, told %s", asked, told)
		}
		b.Close(t.Context())
	})
}

// stuck is a store that says once what there is, and then not until it is not waited for.
type stuck struct {
	presence.Store
	asked *int
}

func (s stuck) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	if *s.asked++; *s.asked == 1 {
		return s.Store.Since(ctx, cursor)
	}
	<-ctx.Done()
	return nil, cursor, ctx.Err()
}

// An end is no failure of the store; what happened just before it is told.
func TestCloseSaysNothingWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines strings.Builder
		o := presence.Options{Store: stuck{presence.NewMemoryStore(), new(int)}, Logger: slog.New(slog.NewTextHandler(&lines, nil))}
		r := &recorder{t: t, shown: map[string]map[string]any{}}
		o.Publish = r.publish
		tr, err := presence.New(o)
		if err != nil {
			t.Fatal(err)
		}
		tr.Join("g", "ann")
		pause(window) // it asks
		tr.Set(t.Context(), dev("a", presence.Online))
		if err := tr.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.want("[ann online]")
		if lines.Len() > 0 {
			t.Errorf("it logged %s", lines.String())
		}
	})
}
