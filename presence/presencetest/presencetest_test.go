package presencetest

import (
	"context"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

func TestMemoryStore(t *testing.T) {
	Run(t, func(testing.TB) presence.Store { return presence.NewMemoryStore() })
}

// store is what broken ones are made of.
type store = presence.MemoryStore

// broken is a store in which one sentence of the contract does not hold.
type broken struct {
	*store
	putAll func(s *store, ctx context.Context, entries []presence.Entry) error
	put    func(s *store, e presence.Entry) presence.Entry
	renew  func(s *store, ctx context.Context, node string, lease time.Duration) (bool, error)
	sweep  func(s *store, ctx context.Context, node string) ([]presence.Entry, error)
	since  func(s *store, cursor uint64) ([]presence.Entry, uint64, error)
	deaf   bool
}

func (b *broken) Put(ctx context.Context, entries ...presence.Entry) error {
	if b.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if b.putAll != nil {
		return b.putAll(b.store, ctx, entries)
	}
	for i := range entries {
		if b.put != nil {
			entries[i] = b.put(b.store, entries[i])
		}
	}
	return b.store.Put(ctx, entries...)
}

func (b *broken) Renew(ctx context.Context, node string, lease time.Duration) (bool, error) {
	if b.renew != nil {
		return b.renew(b.store, ctx, node, lease)
	}
	return b.store.Renew(ctx, node, lease)
}

func (b *broken) Sweep(ctx context.Context, node string) ([]presence.Entry, error) {
	if b.sweep != nil {
		return b.sweep(b.store, ctx, node)
	}
	return b.store.Sweep(ctx, node)
}

func (b *broken) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	if b.since != nil && ctx.Err() == nil {
		return b.since(b.store, cursor)
	}
	return b.store.Since(ctx, cursor)
}

// swept changes what Sweep returns.
func swept(change func(*presence.Entry)) func(*store, context.Context, string) ([]presence.Entry, error) {
	return func(s *store, ctx context.Context, node string) ([]presence.Entry, error) {
		got, err := s.Sweep(ctx, node)
		for i := range got {
			change(&got[i])
		}
		return got, err
	}
}

// byEntries is a store that takes the newest At of all entries for the time.
type byEntries struct {
	now  time.Time
	ends map[string]time.Time
}

func (b *byEntries) put(_ *store, e presence.Entry) presence.Entry {
	if e.At.After(b.now) {
		b.now = e.At
	}
	return e
}

func (b *byEntries) renew(s *store, ctx context.Context, node string, lease time.Duration) (bool, error) {
	b.ends[node] = b.now.Add(lease)
	return s.Renew(ctx, node, 1000*time.Hour)
}

func (b *byEntries) sweep(s *store, ctx context.Context, node string) ([]presence.Entry, error) {
	for name, ends := range b.ends {
		if !ends.After(b.now) {
			s.Renew(ctx, name, 0)
		}
	}
	return s.Sweep(ctx, node)
}

// TestEachCaseCatches: for every case there is a broken store that it refuses.
func TestEachCaseCatches(t *testing.T) {
	forever := context.Background()
	versions := func(s *store, e presence.Entry) uint64 { // a version above all
		all, _, _ := s.Since(forever, 0)
		for _, old := range all {
			e.Version = max(e.Version, old.Version+1)
		}
		return e.Version
	}
	renewed := map[string]bool{}
	clock := byEntries{ends: map[string]time.Time{}}
	newest := presence.Entry{}
	tests := map[string]broken{
		"PutKeepsNewest":     {put: func(_ *store, e presence.Entry) presence.Entry { e.Session = "one"; return e }},
		"PutKeepsEverything": {put: func(_ *store, e presence.Entry) presence.Entry { e.Activities = nil; return e }},
		"PutMany": {putAll: func(s *store, ctx context.Context, entries []presence.Entry) error {
			return s.Put(ctx, entries[:min(len(entries), 500)]...)
		}},
		"PutIgnoresOlder": {put: func(s *store, e presence.Entry) presence.Entry { e.Version = versions(s, e); return e }},
		"Concurrent":      {put: func(_ *store, e presence.Entry) presence.Entry { e.Version %= 100; return e }},
		"RenewLasts": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) (bool, error) {
			return s.Renew(ctx, node, 2*lease)
		}},
		"RenewAgain": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) (bool, error) {
			if renewed[node] {
				return true, nil
			}
			renewed[node] = true
			return s.Renew(ctx, node, lease)
		}},
		"RenewEnds": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) (bool, error) {
			if lease == 0 {
				return true, nil
			}
			return s.Renew(ctx, node, lease)
		}},
		"RenewByTheStoresClock": {put: clock.put, renew: clock.renew, sweep: clock.sweep},
		"RenewKnows": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) (bool, error) {
			_, err := s.Renew(ctx, node, lease)
			return true, err
		}},
		"SweepDeadOnly": {sweep: func(s *store, ctx context.Context, node string) ([]presence.Entry, error) {
			s.Renew(ctx, "alive", 0)
			return s.Sweep(ctx, node+"'")
		}},
		"SweepUnknown": {put: func(s *store, e presence.Entry) presence.Entry {
			s.Renew(forever, e.Node, time.Hour)
			return e
		}},
		"SweepNotOneself": {sweep: func(s *store, ctx context.Context, node string) ([]presence.Entry, error) {
			return s.Sweep(ctx, node+"'")
		}},
		"SweepFields":    {sweep: swept(func(e *presence.Entry) { e.Left = e.At })},
		"SweepKeepsLeft": {sweep: swept(func(e *presence.Entry) { e.Left = e.At })},
		"SweepLeavesMoved": {put: func(_ *store, e presence.Entry) presence.Entry {
			if e.Version == 8 && !e.Gone {
				e.Node = "dead"
			}
			return e
		}},
		"SweepOnce": {sweep: func(s *store, ctx context.Context, node string) ([]presence.Entry, error) {
			s.Sweep(ctx, node)
			all, _, err := s.Since(ctx, 0)
			return all[:1], err
		}},
		"SweepNotGone": {put: func(_ *store, e presence.Entry) presence.Entry { e.Gone = false; return e }},
		"SweepIsSeen": {sweep: func(_ *store, ctx context.Context, node string) ([]presence.Entry, error) {
			return nil, ctx.Err()
		}},
		"SinceOrder": {since: func(s *store, cursor uint64) ([]presence.Entry, uint64, error) {
			got, next, err := s.Since(forever, cursor)
			for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
				got[i], got[j] = got[j], got[i]
			}
			return got, next, err
		}},
		"SinceCursor": {since: func(s *store, cursor uint64) ([]presence.Entry, uint64, error) {
			return s.Since(forever, max(cursor, 1)-1)
		}},
		"SinceNewestOnly": {since: func(s *store, cursor uint64) ([]presence.Entry, uint64, error) {
			got, next, err := s.Since(forever, cursor)
			return append(got, got...), next, err
		}},
		"SinceGone": { // it forgets by the clocks of nodes
			put: func(_ *store, e presence.Entry) presence.Entry {
				if e.At.After(newest.At) {
					newest = e
				}
				return e
			},
			since: func(s *store, cursor uint64) ([]presence.Entry, uint64, error) {
				got, next, err := s.Since(forever, cursor)
				living := got[:0]
				for _, e := range got {
					if !e.Gone || newest.At.Sub(e.At) < time.Hour {
						living = append(living, e)
					}
				}
				return living, next, err
			},
		},
		"Context": {deaf: true},
	}
	for _, c := range cases {
		b, ok := tests[c.name]
		if !ok {
			t.Errorf("no broken store for %s", c.name)
			continue
		}
		b.store = presence.NewMemoryStore()
		if c.run(t.Context(), &b) == nil {
			t.Errorf("%s does not notice a store that breaks its rule: %s", c.name, c.rule)
		}
	}
}
