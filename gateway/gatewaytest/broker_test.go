package gatewaytest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func TestMemoryBroker(t *testing.T) {
	for name, o := range map[string]gateway.MemoryBrokerOptions{
		"default": {}, "short history": {History: 150},
	} {
		t.Run(name, func(t *testing.T) {
			Broker(t, func(*testing.T) gateway.Broker { return gateway.NewMemoryBroker(o) })
		})
	}
}

// A broker may have no positions at all.
func TestBrokerWithoutPositions(t *testing.T) {
	Broker(t, func(*testing.T) gateway.Broker {
		return &brokenBroker{
			MemoryBroker: gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}),
			follow: func(f gateway.Feed, ctx context.Context, topic string) (gateway.Position, error) {
				_, err := f.Follow(ctx, topic)
				return gateway.Position{}, err
			},
		}
	})
}

// brokenBroker is a broker in which one sentence of the contract does not hold.
type brokenBroker struct {
	*gateway.MemoryBroker
	publish  func(b *gateway.MemoryBroker, ctx context.Context, rec gateway.Record) error
	since    func(b *gateway.MemoryBroker, ctx context.Context, from gateway.Position) ([]gateway.Record, error)
	deliver  func(feed int, next func(gateway.Record), rec gateway.Record)
	follow   func(f gateway.Feed, ctx context.Context, topic string) (gateway.Position, error)
	unfollow func(f gateway.Feed, ctx context.Context, topic string) error
	close    func(f gateway.Feed, ctx context.Context) error

	mu    sync.Mutex
	feeds int
}

func (b *brokenBroker) Publish(ctx context.Context, rec gateway.Record) error {
	if b.publish != nil {
		return b.publish(b.MemoryBroker, ctx, rec)
	}
	return b.MemoryBroker.Publish(ctx, rec)
}

func (b *brokenBroker) Since(ctx context.Context, from gateway.Position) ([]gateway.Record, error) {
	if b.since != nil {
		return b.since(b.MemoryBroker, ctx, from)
	}
	return b.MemoryBroker.Since(ctx, from)
}

func (b *brokenBroker) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	b.mu.Lock()
	n := b.feeds
	b.feeds++
	b.mu.Unlock()
	next := deliver
	if b.deliver != nil {
		next = func(rec gateway.Record) { b.deliver(n, deliver, rec) }
	}
	f, err := b.MemoryBroker.Open(ctx, next)
	return &brokenFeed{f, b}, err
}

type brokenFeed struct {
	gateway.Feed
	b *brokenBroker
}

func (f *brokenFeed) Follow(ctx context.Context, topic string) (gateway.Position, error) {
	if f.b.follow != nil {
		return f.b.follow(f.Feed, ctx, topic)
	}
	return f.Feed.Follow(ctx, topic)
}

func (f *brokenFeed) Unfollow(ctx context.Context, topic string) error {
	if f.b.unfollow != nil {
		return f.b.unfollow(f.Feed, ctx, topic)
	}
	return f.Feed.Unfollow(ctx, topic)
}

func (f *brokenFeed) Close(ctx context.Context) error {
	if f.b.close != nil {
		return f.b.close(f.Feed, ctx)
	}
	return f.Feed.Close(ctx)
}

// TestEachBrokerCaseCatches: for every case there is a broken broker that it refuses.
func TestEachBrokerCaseCatches(t *testing.T) {
	type (
		broker = gateway.MemoryBroker
		feed   = gateway.Feed
		place  = gateway.Position
		rec    = gateway.Record
	)
	ignore := func(feed, context.Context, string) error { return nil }
	var mu sync.Mutex
	var held []rec
	known := make(map[string]bool)
	deaf := make(map[feed]bool)
	followed := make(map[feed]bool)
	var delivering func(rec)
	tests := map[string]*brokenBroker{
		"EveryFeed": {deliver: func(feed int, next func(rec), r rec) {
			if feed == 0 {
				next(r)
			}
		}},
		"KeepsEverything": {publish: func(b *broker, ctx context.Context, r rec) error {
			r.Class = gateway.Keep
			return b.Publish(ctx, r)
		}},
		"OtherTopics": {publish: func(b *broker, ctx context.Context, r rec) error {
			r.Topic = r.Topic[:1] // a pattern
			return b.Publish(ctx, r)
		}},
		"SameOrder": {deliver: func(feed int, next func(rec), r rec) {
			mu.Lock()
			defer mu.Unlock()
			if feed == 0 {
				next(r)
				return
			}
			if held = append(held, r); len(held) == 2 { // the second feed gets them in pairs, turned round
				next(held[1])
				next(held[0])
				held = nil
			}
		}},
		"Positions": {deliver: func(feed int, next func(rec), r rec) {
			r.Position.Offset += uint64(feed)
			next(r)
		}},
		"OneAtATime": {deliver: func(_ int, next func(rec), r rec) { go next(r) }},
		"FollowFromNow": {follow: func(f feed, ctx context.Context, topic string) (place, error) {
			time.AfterFunc(time.Millisecond, func() { f.Follow(ctx, topic) })
			return place{}, nil
		}},
		"FollowExactly": {follow: func(f feed, ctx context.Context, topic string) (place, error) {
			at, err := f.Follow(ctx, topic)
			at.Offset -= min(at.Offset, 1)
			return at, err
		}},
		"FollowTwice": {unfollow: func(f feed, ctx context.Context, topic string) error {
			mu.Lock()
			defer mu.Unlock()
			if !deaf[f] { // it counts, and takes two to end two
				deaf[f] = true
				return nil
			}
			return f.Unfollow(ctx, topic)
		}},
		"Unfollow": {unfollow: ignore},
		"UnfollowOne": {unfollow: func(f feed, ctx context.Context, topic string) error {
			f.Unfollow(ctx, "b")
			return f.Unfollow(ctx, topic)
		}},
		"FollowAgain": {follow: func(f feed, ctx context.Context, topic string) (place, error) {
			mu.Lock()
			defer mu.Unlock()
			if followed[f] {
				return place{}, nil
			}
			followed[f] = true
			return f.Follow(ctx, topic)
		}},
		"Close": {close: func(feed, context.Context) error { return nil }},
		"SinceAll": {since: func(b *broker, ctx context.Context, from place) ([]rec, error) {
			got, err := b.Since(ctx, from)
			return got[:max(len(got), 1)-1], err
		}},
		"SinceBehind": {since: func(b *broker, ctx context.Context, from place) ([]rec, error) {
			from.Offset = max(from.Offset, 1) - 1
			return b.Since(ctx, from)
		}},
		"SinceNone": {since: func(b *broker, ctx context.Context, from place) ([]rec, error) {
			got, err := b.Since(ctx, from)
			if len(got) == 0 {
				err = gateway.ErrGap
			}
			return got, err
		}},
		"SinceGap": {since: func(b *broker, ctx context.Context, from place) ([]rec, error) {
			for {
				got, err := b.Since(ctx, from)
				if err == nil {
					return got, nil
				}
				from.Offset++
			}
		}},
		"SinceEpoch": {since: func(b *broker, ctx context.Context, from place) ([]rec, error) {
			f, _ := b.Open(ctx, func(rec) {})
			now, _ := f.Follow(ctx, "a")
			from.Epoch = now.Epoch
			return b.Since(ctx, from)
		}},
		"RetriedOnce": {publish: func(b *broker, ctx context.Context, r rec) error {
			r.ID = ""
			return b.Publish(ctx, r)
		}},
		"RetriedElsewhere": {publish: func(b *broker, ctx context.Context, r rec) error {
			mu.Lock()
			defer mu.Unlock()
			if known[r.ID] && r.ID != "" { // in whatever topic
				return nil
			}
			known[r.ID] = true
			return b.Publish(ctx, r)
		}},
		"Concurrent": {deliver: func(_ int, _ func(rec), r rec) {
			mu.Lock()
			defer mu.Unlock()
			if delivering != nil { // the feed that was opened last gets everything
				delivering(r)
			}
		}},
		"Context": {publish: func(b *broker, ctx context.Context, r rec) error {
			return b.Publish(context.WithoutCancel(ctx), r)
		}},
	}
	for _, c := range brokerCases {
		b, ok := tests[c.name]
		if !ok {
			t.Errorf("no broken broker for %s", c.name)
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			// In a bubble, where waiting for what never comes takes no time.
			synctest.Test(t, func(t *testing.T) {
				b.MemoryBroker = gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{})
				if c.run(t.Context(), b) == nil {
					t.Errorf("a broker that breaks its rule is not noticed: %s", c.rule)
				}
				synctest.Wait()
			})
		})
	}
	if len(tests) != len(brokerCases) {
		names := make([]string, 0, len(brokerCases))
		for _, c := range brokerCases {
			names = append(names, c.name)
		}
		for name := range tests {
			if !slices.Contains(names, name) {
				t.Errorf("no case %s", name)
			}
		}
	}
}
