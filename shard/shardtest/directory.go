package shardtest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Directory tests a directory. open returns an empty one for each case.
func Directory(t *testing.T, open func(t testing.TB) shard.Directory) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("the directory breaks its contract:\n  %s\n%v", c.rule, err)
			}
		})
	}
}

// check is one case: it returns what it saw if the rule is broken.
type check struct {
	name, rule string
	run        func(ctx context.Context, d shard.Directory) error
}

var cases = []check{
	{"Announce", "Announce has m be a member.", announce},
	{"Everything", "Members returns each with all that was said of it.", everything},
	{"InPlace", "In place of what was known under its ID: each once.", inPlace},
	{"Sorted", "Members returns them sorted by ID.", sorted},
	{"LeaseEnds", "Members returns those whose lease is not over.", leaseEnds},
	{"LeaseLasts", "A member is one for as long as its lease, and others' leases are their own.", leaseLasts},
	{"LastLeaseCounts", "The lease is in place of what was known, too: longer or shorter.", lastLeaseCounts},
	{"EndsAtOnce", "A lease of 0 or less ends it at once.", endsAtOnce},
	{"EndsNobody", "A lease of 0 or less ends it, if there is one: and is no error otherwise.", endsNobody},
	{"ComesBack", "Announce has m be a member: one whose lease was ended, too.", comesBack},
	{"Concurrent", "All methods may be called by many goroutines at once.", concurrent},
	{"Context", "They return an error that wraps that of ctx when it has ended.", ended},
}

func member(id string) shard.Member { return shard.Member{ID: id, Addr: id + ":8080"} }

// announced has members with these IDs be there for long.
func announced(ctx context.Context, d shard.Directory, ids ...string) error {
	for _, id := range ids {
		if err := d.Announce(ctx, member(id), time.Hour); err != nil {
			return fmt.Errorf("after Announce of %q: %w", id, err)
		}
	}
	return nil
}

// expect wants the members to have these IDs.
func expect(ctx context.Context, d shard.Directory, want ...string) error {
	got, err := ids(ctx, d)
	if err == nil && fmt.Sprint(got) != fmt.Sprint(want) {
		err = fmt.Errorf("the members are %q, want %q", got, want)
	}
	return err
}

func ids(ctx context.Context, d shard.Directory) ([]string, error) {
	members, err := d.Members(ctx)
	if err != nil {
		return nil, fmt.Errorf("after Members: %w", err)
	}
	var ids []string
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	return ids, nil
}

func announce(ctx context.Context, d shard.Directory) error {
	err := expect(ctx, d)
	return errors.Join(err, announced(ctx, d, "a", "b"), expect(ctx, d, "a", "b"))
}

func everything(ctx context.Context, d shard.Directory) error {
	want := shard.Member{ID: "zone 1/ü.*>%{}\n\"", Weight: shard.MaxWeight, Addr: "[::1]:80", URL: "wss://a.example.org/gateway?b=<c>&d=\u2028"}
	if err := d.Announce(ctx, want, time.Hour); err != nil {
		return err
	}
	got, err := d.Members(ctx)
	if err != nil || len(got) != 1 || got[0] != want {
		return fmt.Errorf("got %+v %w, want %+v", got, err, want)
	}
	return nil
}

func inPlace(ctx context.Context, d shard.Directory) error {
	err := announced(ctx, d, "a", "b")
	moved := shard.Member{ID: "a", Weight: 2, Addr: "elsewhere:8080"}
	err = errors.Join(err, d.Announce(ctx, moved, time.Hour))
	got, e := d.Members(ctx)
	if err = errors.Join(err, e); err != nil || len(got) != 2 || got[0] != moved || got[1] != member("b") {
		return fmt.Errorf("got %+v, want the second of two and the other: %w", got, err)
	}
	return nil
}

func sorted(ctx context.Context, d shard.Directory) error {
	err := announced(ctx, d, "node-9", "node-10", "a", "Z", "node-1", "ä", "node-2")
	return errors.Join(err, expect(ctx, d, "Z", "a", "node-1", "node-10", "node-2", "node-9", "ä"))
}

const (
	short    = time.Second
	patience = 20 * time.Second
)

// until waits until somebody is no member any more.
func until(ctx context.Context, d shard.Directory, gone string) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now, err := ids(ctx, d)
		if err != nil {
			return fmt.Errorf("while %q was to go: %w", gone, err)
		}
		there := false
		for _, id := range now {
			there = there || id == gone
		}
		if !there {
			return nil
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return fmt.Errorf("%q, whose lease is over, is a member after %v", gone, patience)
		}
	}
}

func leaseEnds(ctx context.Context, d shard.Directory) error {
	err := errors.Join(announced(ctx, d, "long"), d.Announce(ctx, member("short"), short))
	return errors.Join(err, until(ctx, d, "short"), expect(ctx, d, "long"))
}

func leaseLasts(ctx context.Context, d shard.Directory) error {
	began := time.Now()
	err := errors.Join(d.Announce(ctx, member("longer"), 2*short), d.Announce(ctx, member("short"), short), until(ctx, d, "short"))
	if took := time.Since(began); took < short*9/10 { // clocks may run a little apart
		return errors.Join(err, fmt.Errorf("a lease of %v was over after %v", short, took))
	}
	now, e := ids(ctx, d)
	if took := time.Since(began); took < 2*short && fmt.Sprint(now) != "[longer]" {
		return errors.Join(err, e, fmt.Errorf("the members are %q after %v, want one whose lease is %v", now, took, 2*short))
	}
	return errors.Join(err, e)
}

func lastLeaseCounts(ctx context.Context, d shard.Directory) error {
	err := errors.Join(
		d.Announce(ctx, member("renewed"), short),
		d.Announce(ctx, member("renewed"), time.Hour),
		d.Announce(ctx, member("shortened"), time.Hour),
		d.Announce(ctx, member("shortened"), short),
	)
	return errors.Join(err, until(ctx, d, "shortened"), expect(ctx, d, "renewed"))
}

func endsAtOnce(ctx context.Context, d shard.Directory) error {
	err := errors.Join(announced(ctx, d, "a", "b", "c"), d.Announce(ctx, member("b"), 0), expect(ctx, d, "a", "c"))
	return errors.Join(err, d.Announce(ctx, member("a"), -time.Second), expect(ctx, d, "c"))
}

func endsNobody(ctx context.Context, d shard.Directory) error {
	err := errors.Join(announced(ctx, d, "a"), d.Announce(ctx, member("b"), 0))
	return errors.Join(err, expect(ctx, d, "a"))
}

func comesBack(ctx context.Context, d shard.Directory) error {
	err := errors.Join(announced(ctx, d, "a"), d.Announce(ctx, member("a"), 0), announced(ctx, d, "a"))
	return errors.Join(err, expect(ctx, d, "a"))
}

func concurrent(ctx context.Context, d shard.Directory) error {
	var wg sync.WaitGroup
	errs := make([]error, 8)
	var want []string
	for i := range errs {
		id, other := fmt.Sprint("n", i), fmt.Sprint("gone ", i)
		want = append(want, id)
		wg.Go(func() {
			for range 10 {
				_, err := d.Members(ctx)
				errs[i] = errors.Join(errs[i], err, announced(ctx, d, id, other), d.Announce(ctx, member(other), 0))
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), expect(ctx, d, want...))
}

func ended(ctx context.Context, d shard.Directory) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	_, e := d.Members(ctx)
	for method, err := range map[string]error{"Announce": d.Announce(ctx, member("a"), time.Hour), "Members": e} {
		if !errors.Is(err, context.Canceled) {
			return fmt.Errorf("%s returned %v", method, err)
		}
	}
	return nil
}
