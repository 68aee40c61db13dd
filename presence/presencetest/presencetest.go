package presencetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Run tests a store. open returns an empty one for each case.
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
	{"PutKeepsNewest", "Put keeps an entry as the newest of its user and session.", putKeepsNewest},
	{"PutKeepsEverything", "Put keeps an entry: all of its fields.", putKeepsEverything},
	{"PutIgnoresOlder", "An entry whose Version is not higher than the kept one's changes nothing and is no error.", putIgnoresOlder},
	{"Concurrent", "All methods may be called by many goroutines at once.", concurrent},
	{"SweepDeadOnly", "Sweep hands over the entries of every other node whose lease ended before now.", sweepDeadOnly},
	{"SweepUnknown", "A node that never renewed is not known, and its entries are not swept.", sweepUnknown},
	{"Goodbye", "A time before the one known replaces it: so a node says goodbye.", goodbye},
	{"SweepNotOneself", "Sweep hands over the entries of every other node: never the caller's.", sweepNotOneself},
	{"SweepFields", "Each gets that Node, a Version one higher, At now, and, unless it had left already, Left at the end of the lease.", sweepFields},
	{"SweepKeepsLeft", "Unless it had left already: Left stays.", sweepKeepsLeft},
	{"SweepLeavesMoved", "An entry that another node has put meanwhile is left alone.", sweepLeavesMoved},
	{"SweepOnce", "Of several callers, one gets an entry.", sweepOnce},
	{"SweepNotGone", "Entries that are gone are not handed over.", sweepNotGone},
	{"SweepIsSeen", "Sweep's changes are changes: Since returns them.", sweepIsSeen},
	{"SinceOrder", "Since returns entries in the order of their last change.", sinceOrder},
	{"SinceCursor", "Since returns what was changed after the cursor, and the cursor behind it.", sinceCursor},
	{"SinceNewestOnly", "Since returns the newest entry of a session, once.", sinceNewestOnly},
	{"SinceGone", "Gone ones included, for an hour at least.", sinceGone},
	{"Context", "A context that has ended is an error.", ended},
}

var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func entry(user, session, node string, version uint64) presence.Entry {
	return presence.Entry{User: user, Session: session, Node: node, Version: version, Platform: "web", Status: presence.Online, At: start}
}

// put puts entries and returns the first error.
func put(ctx context.Context, s presence.Store, entries ...presence.Entry) error {
	for _, e := range entries {
		if err := s.Put(ctx, e); err != nil {
			return fmt.Errorf("after Put: %w", err)
		}
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
				_, e2 := s.Sweep(ctx, node, start)
				errs[i] = errors.Join(errs[i], s.Put(ctx, entry("ann", "a", node, v*8+uint64(i)+1)), s.Renew(ctx, node, start.Add(time.Hour)), e1, e2)
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), expectAll(ctx, s, "ann/a@n7:160 "))
}

// dead puts one entry each of a living and a dead node.
func dead(ctx context.Context, s presence.Store) error {
	return errors.Join(
		s.Renew(ctx, "dead", start.Add(time.Second)),
		s.Renew(ctx, "alive", start.Add(time.Hour)),
		put(ctx, s, entry("ann", "a", "dead", 7), entry("bob", "b", "alive", 7)),
	)
}

func sweepDeadOnly(ctx context.Context, s presence.Store) error {
	err := dead(ctx, s)
	early, e1 := s.Sweep(ctx, "alive", start.Add(time.Second))
	swept, e2 := s.Sweep(ctx, "alive", start.Add(time.Minute))
	return errors.Join(err, e1, e2, expect(list(early), ""), expect(list(swept), "ann/a@alive:8 "))
}

func sweepUnknown(ctx context.Context, s presence.Store) error {
	err := put(ctx, s, entry("ann", "a", "unknown", 7))
	swept, e1 := s.Sweep(ctx, "alive", start.Add(time.Hour))
	return errors.Join(err, e1, expect(list(swept), ""), expectAll(ctx, s, "ann/a@unknown:7 "))
}

func goodbye(ctx context.Context, s presence.Store) error {
	err := errors.Join(dead(ctx, s), s.Renew(ctx, "alive", start))
	swept, e1 := s.Sweep(ctx, "third", start.Add(time.Millisecond))
	return errors.Join(err, e1, expect(list(swept), "bob/b@third:8 "))
}

func sweepNotOneself(ctx context.Context, s presence.Store) error {
	err := dead(ctx, s)
	swept, e1 := s.Sweep(ctx, "dead", start.Add(time.Minute))
	return errors.Join(err, e1, expect(list(swept), ""), expectAll(ctx, s, "ann/a@dead:7 bob/b@alive:7 "))
}

func sweepFields(ctx context.Context, s presence.Store) error {
	err := dead(ctx, s)
	now := start.Add(time.Minute)
	swept, e1 := s.Sweep(ctx, "alive", now)
	if err := errors.Join(err, e1); err != nil || len(swept) != 1 {
		return fmt.Errorf("got %v from Sweep: %w", swept, err)
	}
	want := entry("ann", "a", "alive", 8)
	want.At, want.Left = now, start.Add(time.Second)
	return expect(show(swept[0]), show(want))
}

func sweepKeepsLeft(ctx context.Context, s presence.Store) error {
	e := entry("ann", "c", "dead", 7)
	e.Left = start.Add(-time.Minute)
	err := errors.Join(dead(ctx, s), put(ctx, s, e))
	swept, e1 := s.Sweep(ctx, "alive", start.Add(time.Minute))
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
	swept, e1 := s.Sweep(ctx, "third", start.Add(time.Minute))
	return errors.Join(err, e1, expect(list(swept), ""), expectAll(ctx, s, "bob/b@alive:7 ann/a@alive:8 "))
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
			got, e := s.Sweep(ctx, fmt.Sprint("n", i), start.Add(time.Minute))
			mu.Lock()
			defer mu.Unlock()
			swept, err = append(swept, got...), errors.Join(err, e)
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
	swept, e1 := s.Sweep(ctx, "alive", start.Add(time.Minute))
	return errors.Join(err, e1, expect(list(swept), ""))
}

func sweepIsSeen(ctx context.Context, s presence.Store) error {
	err := dead(ctx, s)
	_, cursor, e1 := s.Since(ctx, 0)
	_, e2 := s.Sweep(ctx, "alive", start.Add(time.Minute))
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
	later.At = start.Add(59 * time.Minute)
	err := put(ctx, s, entry("a", "x", "n", 1), gone, later)
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
	_, e2 := s.Sweep(ctx, "n", start)
	for i, err := range []error{s.Put(ctx, entry("a", "x", "n", 1)), s.Renew(ctx, "n", start), e1, e2} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("method %d returned %v", i, err)
		}
	}
	return nil
}
