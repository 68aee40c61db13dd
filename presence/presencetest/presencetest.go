package presencetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Run tests a store. open returns an empty one for each case. It takes a second,
// beside the store's own time.
func Run(t *testing.T, open func(t testing.TB) presence.Store) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("the store breaks its contract:\n  %s\n%v", c.rule, err)
			}
		})
	}
}

// check is one case: it returns what it saw if the rule is broken.
type check struct {
	name, rule string
	run        func(ctx context.Context, s presence.Store) error
}

var cases = []check{
	{"PutKeepsNewest", "Put keeps entries, each as the newest of its user and session.", putKeepsNewest},
	{"PutKeepsEverything", "Put keeps an entry: all of its fields.", putKeepsEverything},
	{"PutMany", "When Put returns nil, all have been taken.", putMany},
	{"PutIgnoresOlder", "An entry whose Version is not higher than the kept one's changes nothing and is no error.", putIgnoresOlder},
	{"Concurrent", "All methods may be called by many goroutines at once.", concurrent},
	{"RenewLasts", "A node lives for the length of its lease.", renewLasts},
	{"RenewAgain", "It lives from now on: from the newest call.", renewAgain},
	{"RenewEnds", "0 ends it.", renewEnds},
	{"RenewByTheStoresClock", "By the store's own clock, whatever times entries have.", renewByTheStoresClock},
	{"RenewKnows", "known reports whether the store knew the node: not the first time, nor after a Sweep of another node that found the lease over.", renewKnows},
	{"SweepDeadOnly", "Sweep hands over the entries of every other node that does not live.", sweepDeadOnly},
	{"SweepUnknown", "A node that never renewed does not live.", sweepUnknown},
	{"SweepNotOneself", "Sweep hands over the entries of every other node: never the caller's.", sweepNotOneself},
	{"SweepFields", "Each gets that Node, a Version one higher, At now and Left when the lease ended, by the store's clock.", sweepFields},
	{"SweepKeepsLeft", "Unless it had left already: Left stays.", sweepKeepsLeft},
	{"SweepLeavesMoved", "An entry that another node has put meanwhile is left alone.", sweepLeavesMoved},
	{"SweepOnce", "Of several callers, one gets an entry.", sweepOnce},
	{"SweepNotGone", "Entries that are gone are not handed over.", sweepNotGone},
	{"SweepIsSeen", "Sweep's changes are changes: Since returns them.", sweepIsSeen},
	{"SinceOrder", "Since returns entries in the order of their last change.", sinceOrder},
	{"SinceCursor", "Since returns what was changed after the cursor, and the cursor behind it.", sinceCursor},
	{"SinceNewestOnly", "Since returns the newest entry of a session, once.", sinceNewestOnly},
	{"SinceGone", "Gone ones included, for an hour at least, whatever times entries have.", sinceGone},
	{"Context", "A context that has ended is an error.", ended},
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func entry(user, session, node string, version uint64) presence.Entry {
	return presence.Entry{User: user, Session: session, Node: node, Version: version, Platform: "web", Status: presence.Online, At: start}
}

// put puts entries, one after the other, and returns the first error.
func put(ctx context.Context, s presence.Store, entries ...presence.Entry) error {
	for _, e := range entries {
		if err := s.Put(ctx, e); err != nil {
			return fmt.Errorf("after Put: %w", err)
		}
	}
	return nil
}

// renew renews the lease of a node for which that has to return nil.
func renew(ctx context.Context, s presence.Store, node string, lease time.Duration) error {
	if _, err := s.Renew(ctx, node, lease); err != nil {
		return fmt.Errorf("after Renew: %w", err)
	}
	return nil
}

// all returns everything as "user/session@node:version …", in Since's order.
func all(ctx context.Context, s presence.Store) (string, error) {
	entries, _, err := s.Since(ctx, 0)
	return list(entries), err
}

func list(entries []presence.Entry) string {
	text := ""
	for _, e := range entries {
		text += fmt.Sprintf("%s/%s@%s:%d ", e.User, e.Session, e.Node, e.Version)
	}
	return text
}

func expect(got, want string) error {
	if got != want {
		return fmt.Errorf("got  %q\nwant %q", got, want)
	}
	return nil
}

func expectAll(ctx context.Context, s presence.Store, want string) error {
	got, err := all(ctx, s)
	return errors.Join(err, expect(got, want))
}

func putKeepsNewest(ctx context.Context, s presence.Store) error {
	err := put(ctx, s, entry("ann", "a", "n", 1), entry("ann", "b", "n", 1), entry("bob", "a", "n", 1), entry("ann", "a", "n", 2))
	return errors.Join(err, expectAll(ctx, s, "ann/b@n:1 bob/a@n:1 ann/a@n:2 "))
}

func putKeepsEverything(ctx context.Context, s presence.Store) error {
	e := entry("ann", "a", "n", 1<<60+1)
	e.Platform, e.Status, e.Activities = "mobile", presence.DND, []byte(`[{"name":"ü"}]`)
	e.At, e.Left = start.Add(time.Microsecond), start.Add(time.Second)
	if err := put(ctx, s, e); err != nil {
		return err
	}
	got, _, err := s.Since(ctx, 0)
	if err != nil || len(got) != 1 {
		return fmt.Errorf("got %v from Since: %w", got, err)
	}
	return expect(show(got[0]), show(e))
}

// show is an entry with its times in one zone, to the microsecond.
func show(e presence.Entry) string {
	return fmt.Sprintf("%s %s %s %d %s %s %s %d %d %v", e.User, e.Session, e.Node, e.Version, e.Platform, e.Status, e.Activities, e.At.UnixMicro(), e.Left.UnixMicro(), e.Gone)
}

func putMany(ctx context.Context, s presence.Store) error {
	var entries []presence.Entry
	for i := range 700 {
		entries = append(entries, entry(fmt.Sprint("user", i), "a", "n", 1))
	}
	err := errors.Join(s.Put(ctx), s.Put(ctx, entries...))
	got, _, e1 := s.Since(ctx, 0)
	if len(got) != len(entries) {
		err = errors.Join(err, fmt.Errorf("%d of %d are there", len(got), len(entries)))
	}
	return errors.Join(err, e1)
}

func putIgnoresOlder(ctx context.Context, s presence.Store) error {
	same := entry("ann", "a", "other", 5)
	err := put(ctx, s, entry("ann", "a", "n", 5), same, entry("ann", "a", "other", 4))
	return errors.Join(err, expectAll(ctx, s, "ann/a@n:5 "))
}

func concurrent(ctx context.Context, s presence.Store) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() {
			node := fmt.Sprint("n", i)
			for v := range uint64(20) {
				_, _, e1 := s.Since(ctx, 0)
				_, e2 := s.Sweep(ctx, node)
				errs[i] = errors.Join(errs[i], renew(ctx, s, node, time.Hour), s.Put(ctx, entry("ann", "a", node, v*8+uint64(i)+1)), e1, e2)
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), expectAll(ctx, s, "ann/a@n7:160 "))
}

// dead puts one entry each of a living and a dead node.
func dead(ctx context.Context, s presence.Store) error {
	return errors.Join(
		renew(ctx, s, "dead", time.Hour), renew(ctx, s, "alive", time.Hour),
		put(ctx, s, entry("ann", "a", "dead", 7), entry("bob", "b", "alive", 7)),
		renew(ctx, s, "dead", 0),
	)
}

// expectSwept sweeps.
func expectSwept(ctx context.Context, s presence.Store, node, want string) error {
	swept, err := s.Sweep(ctx, node)
	return errors.Join(err, expect(list(swept), want))
}

// shortLease is long for a store and short for a test.
const shortLease = 400 * time.Millisecond

func pause(d time.Duration) { <-time.After(d) }

func renewLasts(ctx context.Context, s presence.Store) error {
	if err := errors.Join(renew(ctx, s, "dead", shortLease), put(ctx, s, entry("ann", "a", "dead", 7))); err != nil {
		return err
	}
	renewed := time.Now()
	if err := expectSwept(ctx, s, "alive", ""); err != nil && time.Since(renewed) < shortLease/2 {
		return err
	}
	pause(shortLease + 20*time.Millisecond)
	return expectSwept(ctx, s, "alive", "ann/a@alive:8 ")
}

func renewAgain(ctx context.Context, s presence.Store) error {
	err := errors.Join(renew(ctx, s, "dead", time.Hour), put(ctx, s, entry("ann", "a", "dead", 7)))
	err = errors.Join(err, renew(ctx, s, "dead", time.Millisecond), renew(ctx, s, "dead", time.Hour), expectSwept(ctx, s, "alive", ""))
	err = errors.Join(err, renew(ctx, s, "dead", time.Millisecond))
	pause(20 * time.Millisecond)
	return errors.Join(err, expectSwept(ctx, s, "alive", "ann/a@alive:8 "))
}

func renewEnds(ctx context.Context, s presence.Store) error {
	return errors.Join(dead(ctx, s), renew(ctx, s, "alive", 0), expectSwept(ctx, s, "dead", "bob/b@dead:8 "))
}

func renewByTheStoresClock(ctx context.Context, s presence.Store) error {
	ahead, behind := entry("ann", "a", "alive", 7), entry("bob", "b", "dead", 7)
	ahead.At = time.Now().Add(24 * time.Hour)
	err := errors.Join(
		renew(ctx, s, "alive", time.Hour), put(ctx, s, ahead), renew(ctx, s, "alive", time.Hour), expectSwept(ctx, s, "third", ""),
		renew(ctx, s, "dead", time.Hour), put(ctx, s, behind), renew(ctx, s, "dead", time.Millisecond),
	)
	pause(20 * time.Millisecond)
	return errors.Join(err, expectSwept(ctx, s, "third", "bob/b@third:8 "))
}

func renewKnows(ctx context.Context, s presence.Store) error {
	known := func(want bool) error {
		got, err := s.Renew(ctx, "dead", time.Hour)
		if got != want {
			err = errors.Join(err, fmt.Errorf("known is %v", got))
		}
		return err
	}
	err := errors.Join(known(false), known(true), put(ctx, s, entry("ann", "a", "dead", 7)), expectSwept(ctx, s, "alive", ""), known(true))
	return errors.Join(err, renew(ctx, s, "dead", 0), expectSwept(ctx, s, "alive", "ann/a@alive:8 "), known(false), known(true))
}

func sweepDeadOnly(ctx context.Context, s presence.Store) error {
	return errors.Join(dead(ctx, s), expectSwept(ctx, s, "alive", "ann/a@alive:8 "))
}

func sweepUnknown(ctx context.Context, s presence.Store) error {
	return errors.Join(put(ctx, s, entry("ann", "a", "unknown", 7)), expectSwept(ctx, s, "alive", "ann/a@alive:8 "))
}

func sweepNotOneself(ctx context.Context, s presence.Store) error {
	return errors.Join(dead(ctx, s), expectSwept(ctx, s, "dead", ""), expectAll(ctx, s, "ann/a@dead:7 bob/b@alive:7 "))
}

// sweepFields compares times of the store with each other only: its clock is its own.
func sweepFields(ctx context.Context, s presence.Store) error {
	began := time.Now()
	err := dead(ctx, s)
	pause(shortLease)
	swept, e1 := s.Sweep(ctx, "alive")
	took := time.Since(began)
	if err := errors.Join(err, e1); err != nil || len(swept) != 1 {
		return fmt.Errorf("got %v from Sweep: %w", swept, err)
	}
	got := swept[0]
	want := entry("ann", "a", "alive", 8)
	want.At, want.Left = got.At, got.Left
	err = expect(show(got), show(want))
	if away := got.At.Sub(got.Left); away < shortLease-time.Millisecond || away > took+time.Millisecond {
		err = errors.Join(err, fmt.Errorf("its lease ended %v before %v, within %v", away, got.At, took))
	}
	all, _, e2 := s.Since(ctx, 0)
	if !slices.ContainsFunc(all, func(e presence.Entry) bool { return show(e) == show(got) }) {
		err = errors.Join(err, fmt.Errorf("kept is %v, and returned %v", all, got))
	}
	later := entry("eve", "c", "alive", 7)
	e3 := errors.Join(put(ctx, s, later), renew(ctx, s, "alive", 0))
	next, e4 := s.Sweep(ctx, "third")
	for _, e := range next {
		if e.Session == "c" && e.At.Before(got.At) {
			err = errors.Join(err, fmt.Errorf("a later sweep is at %v, before %v", e.At, got.At))
		}
	}
	return errors.Join(err, e2, e3, e4)
}

func sweepKeepsLeft(ctx context.Context, s presence.Store) error {
	e := entry("ann", "c", "dead", 7)
	e.Left = start.Add(-time.Minute)
	err := errors.Join(dead(ctx, s), put(ctx, s, e))
	swept, e1 := s.Sweep(ctx, "alive")
	err = errors.Join(err, e1)
	for _, got := range swept {
		if got.Session == "c" && got.Left.Equal(e.Left) {
			return err
		}
	}
	return errors.Join(err, fmt.Errorf("got %v", swept))
}

func sweepLeavesMoved(ctx context.Context, s presence.Store) error {
	err := errors.Join(dead(ctx, s), put(ctx, s, entry("ann", "a", "alive", 8)))
	return errors.Join(err, expectSwept(ctx, s, "third", ""), expectAll(ctx, s, "bob/b@alive:7 ann/a@alive:8 "))
}

func sweepOnce(ctx context.Context, s presence.Store) error {
	if err := dead(ctx, s); err != nil {
		return err
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	var swept []presence.Entry
	var err error
	for i := range 8 {
		wg.Go(func() {
			node := fmt.Sprint("n", i)
			e1 := renew(ctx, s, node, time.Hour) // else the others take it from this one
			got, e2 := s.Sweep(ctx, node)
			mu.Lock()
			defer mu.Unlock()
			swept, err = append(swept, got...), errors.Join(err, e1, e2)
		})
	}
	wg.Wait()
	if len(swept) != 1 {
		err = errors.Join(err, fmt.Errorf("%d callers got it", len(swept)))
	}
	return err
}

func sweepNotGone(ctx context.Context, s presence.Store) error {
	gone := entry("ann", "a", "dead", 8)
	gone.Gone = true
	err := errors.Join(dead(ctx, s), put(ctx, s, gone))
	return errors.Join(err, expectSwept(ctx, s, "alive", ""))
}

func sweepIsSeen(ctx context.Context, s presence.Store) error {
	err := dead(ctx, s)
	_, cursor, e1 := s.Since(ctx, 0)
	_, e2 := s.Sweep(ctx, "alive")
	changed, _, e3 := s.Since(ctx, cursor)
	return errors.Join(err, e1, e2, e3, expect(list(changed), "ann/a@alive:8 "))
}

func sinceOrder(ctx context.Context, s presence.Store) error {
	err := put(ctx, s, entry("c", "x", "n", 9), entry("a", "x", "n", 1), entry("b", "x", "n", 5), entry("c", "x", "n", 10))
	return errors.Join(err, expectAll(ctx, s, "a/x@n:1 b/x@n:5 c/x@n:10 "))
}

func sinceCursor(ctx context.Context, s presence.Store) error {
	err := put(ctx, s, entry("a", "x", "n", 1), entry("b", "x", "n", 1))
	_, cursor, e1 := s.Since(ctx, 0)
	none, same, e2 := s.Since(ctx, cursor)
	e3 := put(ctx, s, entry("c", "x", "n", 1))
	changed, next, e4 := s.Since(ctx, same)
	err = errors.Join(err, e1, e2, e3, e4, expect(list(none), ""), expect(list(changed), "c/x@n:1 "))
	if next <= cursor {
		err = errors.Join(err, fmt.Errorf("the cursor went from %d to %d", cursor, next))
	}
	return err
}

func sinceNewestOnly(ctx context.Context, s presence.Store) error {
	err := put(ctx, s, entry("a", "x", "n", 1))
	_, cursor, e1 := s.Since(ctx, 0)
	e2 := put(ctx, s, entry("a", "x", "n", 2), entry("a", "x", "n", 3))
	changed, _, e3 := s.Since(ctx, cursor)
	return errors.Join(err, e1, e2, e3, expect(list(changed), "a/x@n:3 "))
}

func sinceGone(ctx context.Context, s presence.Store) error {
	gone := entry("a", "x", "n", 2)
	gone.Gone = true
	later := entry("b", "x", "n", 1)
	later.At = start.Add(100 * time.Hour)
	err := put(ctx, s, entry("a", "x", "n", 1), gone, later) // the clock of one node is ahead
	entries, _, e1 := s.Since(ctx, 0)
	if len(entries) != 2 || !entries[0].Gone || entries[0].Version != 2 {
		err = errors.Join(err, fmt.Errorf("got %v", entries))
	}
	return errors.Join(err, e1)
}

func ended(ctx context.Context, s presence.Store) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, _, e1 := s.Since(ctx, 0)
	_, e2 := s.Sweep(ctx, "n")
	_, e3 := s.Renew(ctx, "n", time.Hour)
	for i, err := range []error{s.Put(ctx, entry("a", "x", "n", 1)), e1, e2, e3} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("method %d returned %v", i, err)
		}
	}
	return nil
}
