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

// broken is a store in which one sentence of the contract does not hold.
type broken struct {
	*presence.MemoryStore
	put   func(s *presence.MemoryStore, e presence.Entry) presence.Entry
	renew func(node string, until time.Time) (string, time.Time)
	sweep func(s *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error)
	since func(s *presence.MemoryStore, cursor uint64) ([]presence.Entry, uint64, error)
	deaf  bool
}

func (b *broken) Put(ctx context.Context, e presence.Entry) error {
	if b.deaf {
		ctx = context.WithoutCancel(ctx)
	}
	if b.put != nil {
		e = b.put(b.MemoryStore, e)
	}
	return b.MemoryStore.Put(ctx, e)
}

func (b *broken) Renew(ctx context.Context, node string, until time.Time) error {
	if b.renew != nil {
		node, until = b.renew(node, until)
	}
	return b.MemoryStore.Renew(ctx, node, until)
}

func (b *broken) Sweep(ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
	if b.sweep != nil {
		return b.sweep(b.MemoryStore, ctx, node, now)
	}
	return b.MemoryStore.Sweep(ctx, node, now)
}

func (b *broken) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	if b.since != nil && ctx.Err() == nil {
		return b.since(b.MemoryStore, cursor)
	}
	return b.MemoryStore.Since(ctx, cursor)
}

// swept changes what Sweep did, in the store as in the answer.
func swept(change func(*presence.Entry)) func(*presence.MemoryStore, context.Context, string, time.Time) ([]presence.Entry, error) {
	return func(s *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
		got, err := s.Sweep(ctx, node, now)
		for i := range got {
			change(&got[i])
		}
		return got, err
	}
}

// TestEachCaseCatches: for every case there is a broken store that it refuses.
func TestEachCaseCatches(t *testing.T) {
	forever := context.Background()
	versions := func(s *presence.MemoryStore, e presence.Entry) uint64 { // a version above all
		all, _, _ := s.Since(forever, 0)
		for _, old := range all {
			e.Version = max(e.Version, old.Version+1)
		}
		return e.Version
	}
	remembered := map[string]time.Time{}
	tests := map[string]broken{
		"PutKeepsNewest":     {put: func(_ *presence.MemoryStore, e presence.Entry) presence.Entry { e.Session = "one"; return e }},
		"PutKeepsEverything": {put: func(_ *presence.MemoryStore, e presence.Entry) presence.Entry { e.Activities = nil; return e }},
		"PutIgnoresOlder":    {put: func(s *presence.MemoryStore, e presence.Entry) presence.Entry { e.Version = versions(s, e); return e }},
		"Concurrent":         {put: func(_ *presence.MemoryStore, e presence.Entry) presence.Entry { e.Version %= 100; return e }},
		"SweepDeadOnly": {sweep: func(s *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
			return s.Sweep(ctx, node, now.Add(10*time.Second))
		}},
		"SweepUnknown": {put: func(s *presence.MemoryStore, e presence.Entry) presence.Entry {
			s.Renew(forever, e.Node, start.Add(time.Second))
			return e
		}},
		"Goodbye": {renew: func(node string, until time.Time) (string, time.Time) {
			if known := remembered[node]; known.After(until) {
				until = known
			}
			remembered[node] = until
			return node, until
		}},
		"SweepNotOneself": {sweep: func(s *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
			return s.Sweep(ctx, node+"'", now)
		}},
		"SweepFields":    {sweep: swept(func(e *presence.Entry) { e.Left = e.At })},
		"SweepKeepsLeft": {sweep: swept(func(e *presence.Entry) { e.Left = start.Add(time.Second) })},
		"SweepLeavesMoved": {put: func(_ *presence.MemoryStore, e presence.Entry) presence.Entry {
			if e.Version == 8 && !e.Gone {
				e.Node = "dead"
			}
			return e
		}},
		"SweepOnce": {sweep: func(s *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
			s.Sweep(ctx, node, now)
			all, _, err := s.Since(ctx, 0)
			return all[:1], err
		}},
		"SweepNotGone": {put: func(_ *presence.MemoryStore, e presence.Entry) presence.Entry { e.Gone = false; return e }},
		"SweepIsSeen": {sweep: func(_ *presence.MemoryStore, ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
			return nil, ctx.Err()
		}},
		"SinceOrder": {since: func(s *presence.MemoryStore, cursor uint64) ([]presence.Entry, uint64, error) {
			got, next, err := s.Since(forever, cursor)
			for i, j := 0, len(got)-1; i < j; i, j = i+1, j-1 {
				got[i], got[j] = got[j], got[i]
			}
			return got, next, err
		}},
		"SinceCursor": {since: func(s *presence.MemoryStore, cursor uint64) ([]presence.Entry, uint64, error) {
			return s.Since(forever, max(cursor, 1)-1)
		}},
		"SinceNewestOnly": {since: func(s *presence.MemoryStore, cursor uint64) ([]presence.Entry, uint64, error) {
			got, next, err := s.Since(forever, cursor)
			return append(got, got...), next, err
		}},
		"SinceGone": {since: func(s *presence.MemoryStore, cursor uint64) ([]presence.Entry, uint64, error) {
			got, next, err := s.Since(forever, cursor)
			living := got[:0]
			for _, e := range got {
				if !e.Gone {
					living = append(living, e)
				}
			}
			return living, next, err
		}},
		"Context": {deaf: true},
	}
	for _, c := range cases {
		b, ok := tests[c.name]
		if !ok {
			t.Errorf("no broken store for %s", c.name)
			continue
		}
		b.MemoryStore = presence.NewMemoryStore()
		if c.run(t.Context(), &b) == nil {
			t.Errorf("%s does not notice a store that breaks its rule: %s", c.name, c.rule)
		}
	}
}
