package kafka

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// feed is a receiver of a Broker. The tails guard what it follows.
type feed struct {
	broker  *Broker
	deliver func(gateway.Record)
	closed  atomic.Bool
}

// Follow is of [gateway.Feed]. It asks the brokers only when nobody on this node follows a topic of the
// partition, or has in the last minute.
func (f *feed) Follow(ctx context.Context, topic string) (gateway.Position, error) {
	b := f.broker
	ctx, cancel, err := b.begin(ctx)
	if err != nil {
		return gateway.Position{}, b.wrap("follow", err)
	}
	defer cancel()
	at, err := b.tails[b.partition(topic)].follow(ctx, f, topic)
	return at, b.wrap("follow", err)
}

// Unfollow is of [gateway.Feed]. It asks nobody.
func (f *feed) Unfollow(_ context.Context, topic string) error {
	t := f.broker.tails[f.broker.partition(topic)]
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drop(topic, f)
	return nil
}

// Close is of [gateway.Feed]. It asks nobody.
func (f *feed) Close(context.Context) error {
	f.closed.Store(true)
	for _, t := range f.broker.tails {
		t.mu.Lock()
		for topic := range t.followers {
			t.drop(topic, f)
		}
		t.mu.Unlock()
	}
	return nil
}

// join has a feed follow a topic from here on. mu is held.
func (t *tail) join(topic string, f *feed) (gateway.Position, error) {
	if f.closed.Load() {
		return gateway.Position{}, gateway.ErrClosed
	}
	if !slices.Contains(t.followers[topic], f) {
		t.followers[topic] = append(t.followers[topic], f)
	}
	return t.broker.position(t.number, t.next), nil
}
