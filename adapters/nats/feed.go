package nats

import (
	"context"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// feed is a gateway.Feed. The broker's mu guards closed.
type feed struct {
	broker *Broker
	give   func(gateway.Record)
	closed bool
}

// Open is of gateway.Broker.
func (b *Broker) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	if err := ctx.Err(); err != nil {
		return nil, wrap("open a feed", err)
	}
	return &feed{broker: b, give: deliver}, nil
}

// Follow is of gateway.Feed.
func (f *feed) Follow(ctx context.Context, name string) (at gateway.Position, err error) {
	var got gateway.Position
	err = f.broker.call(ctx, func(ctx context.Context) (err error) {
		got, err = f.follow(ctx, name)
		return err
	})
	if err != nil {
		return gateway.Position{}, wrap("follow", err)
	}
	return got, nil
}

// follow subscribes, then asks where the stream is: what is stored later comes. Until it knows, what comes
// waits.
func (f *feed) follow(ctx context.Context, name string) (gateway.Position, error) {
	b := f.broker
	subject, err := b.topicAt(name)
	if err != nil {
		return gateway.Position{}, err
	}
	at := gateway.Position{Partition: b.partitionOf(name)}
	b.mu.Lock()
	if f.closed {
		b.mu.Unlock()
		return at, gateway.ErrClosed
	}
	t := b.topics[subject]
	if t == nil {
		t = &topic{subject: subject, followers: make(map[*feed]*follower)}
		b.topics[subject] = t
	}
	w := t.followers[f]
	again := w != nil
	if !again {
		w = &follower{ready: make(chan struct{})}
		t.followers[f] = w
	}
	b.mu.Unlock()
	if again {
		return f.again(ctx, w, at)
	}
	err = b.wire(t)
	var st state
	if err == nil {
		st, err = b.askState(ctx)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	defer close(w.ready)
	if err != nil {
		if t.followers[f] == w {
			delete(t.followers, f)
		}
		b.run(func() { _ = b.wire(t) }) // or the connection is closed
		w.err = err
		return at, err
	}
	if !t.known { // else others wait for what has not come yet
		t.last, t.known = max(t.last, st.last), true
	}
	w.after, w.epoch = st.last, st.epoch
	at.Epoch, at.Offset = st.epoch, st.last
	if t.followers[f] == w { // and was not unfollowed meanwhile
		for _, rec := range w.stash {
			w.offer(f, rec)
		}
	}
	w.stash, w.following = nil, true
	return at, nil
}

// again is Follow of what is followed.
func (f *feed) again(ctx context.Context, w *follower, at gateway.Position) (gateway.Position, error) {
	select {
	case <-w.ready:
	case <-ctx.Done():
		return at, ctx.Err()
	}
	if w.err != nil {
		return at, w.err
	}
	sure, err := f.broker.checks.get(ctx)
	if err != nil {
		return at, err
	}
	at.Epoch, at.Offset = sure.epoch, sure.seq
	if w.epoch == sure.epoch {
		at.Offset = max(at.Offset, w.after)
	}
	return at, nil
}

// Unfollow is of gateway.Feed.
func (f *feed) Unfollow(ctx context.Context, name string) error {
	b := f.broker
	subject, err := b.topicAt(name)
	if err != nil {
		return wrap("unfollow", err)
	}
	b.mu.Lock()
	t := b.topics[subject]
	if t != nil {
		delete(t.followers, f)
	}
	b.mu.Unlock()
	if t == nil {
		return nil
	}
	return wrap("unfollow", b.call(ctx, func(context.Context) error { return b.wire(t) }))
}

// Close is of gateway.Feed.
func (f *feed) Close(ctx context.Context) error {
	b := f.broker
	b.mu.Lock()
	f.closed = true
	var left []*topic
	for _, t := range b.topics {
		if _, ok := t.followers[f]; ok {
			delete(t.followers, f)
			left = append(left, t)
		}
	}
	b.mu.Unlock()
	return wrap("close a feed", b.call(ctx, func(ctx context.Context) error {
		for _, t := range left {
			if err := b.wire(t); err != nil {
				return err
			}
		}
		return nil
	}))
}

// askState asks until somebody answers, or ctx ends.
func (b *Broker) askState(ctx context.Context) (state, error) {
	for {
		st, err := b.states.get(ctx)
		if err == nil || ctx.Err() != nil {
			return st, err
		}
		rest(ctx, askAgain)
	}
}
