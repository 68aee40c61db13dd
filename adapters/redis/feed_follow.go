package redis

import (
	"context"
	"errors"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// errCut says that a line ended before what was done with it was.
var errCut = errors.New("redis: the line was cut")

// Follow is of gateway.Feed. It waits for Redis no longer than BrokerOptions.Timeout.
func (f *feed) Follow(ctx context.Context, topic string) (gateway.Position, error) {
	short, cancel := context.WithTimeout(ctx, f.within)
	defer cancel()
	p := f.parts[hashTo(topic, len(f.parts))]
	var mine *following // what this call has added
	var err error
	for err == nil {
		var t *following
		var fresh bool
		if t, fresh, err = p.want(topic); err != nil {
			break
		}
		if fresh {
			mine = t
		}
		note(f.kick)
		var at gateway.Position
		if at, err = f.settle(short, p, t, mine == t); err == nil {
			return at, nil
		}
		if errors.Is(err, errCut) {
			err = short.Err()
		}
	}
	if mine != nil {
		p.unwant(mine)
		f.crew.start(func() { f.leave(f.crew.ctx, p, topic) })
	}
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return gateway.Position{}, wrap("follow a topic", err)
}

// want adds a topic that is to be followed.
func (p *feedPart) want(topic string) (t *following, fresh bool, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, false, ErrClosed
	}
	p.used = true
	if t = p.topics[topic]; t == nil {
		t, fresh = &following{topic: topic}, true
		p.topics[topic] = t
	}
	return t, fresh, nil
}

func (p *feedPart) unwant(t *following) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.topics[t.topic] == t {
		delete(p.topics, t.topic)
	}
}

// settle has the line subscribed to a topic, and then hear a number: with it comes the place where the topic
// begins, if it did not before, or else how far it was delivered.
func (f *feed) settle(ctx context.Context, p *feedPart, t *following, fresh bool) (gateway.Position, error) {
	l, err := p.awaitLine(ctx)
	if err != nil {
		return gateway.Position{}, err
	}
	p.mu.Lock()
	subscribed := t.subscribed
	p.mu.Unlock()
	if !subscribed {
		if err := l.subscribe(ctx, p, false, t.topic); err != nil {
			if ctx.Err() == nil {
				l.end(err)
			}
			return gateway.Position{}, errCut
		}
	}
	at, err := f.hear(ctx, l, p)
	if err != nil {
		return gateway.Position{}, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.topics[t.topic] != t || !t.began: // it was unfollowed meanwhile, or the line was cut
		return gateway.Position{}, errCut
	case fresh:
		return t.from, nil
	}
	return at, nil
}

// hear returns the partition's place when the line has heard all up to there.
func (f *feed) hear(ctx context.Context, l *line, p *feedPart) (gateway.Position, error) {
	number, heard := f.numbers.Add(1), make(chan gateway.Position, 1)
	p.mu.Lock()
	p.heard[number] = heard
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.heard, number)
	}()
	if _, err := f.look(ctx, p.part, p.own, number); err != nil {
		return gateway.Position{}, err
	}
	select {
	case at := <-heard:
		return at, nil
	case <-l.dead:
		return gateway.Position{}, errCut
	case <-ctx.Done():
		return gateway.Position{}, ctx.Err()
	}
}

// awaitLine waits until the partition is live.
func (p *feedPart) awaitLine(ctx context.Context) (*line, error) {
	for {
		p.mu.Lock()
		l, live, ready := p.line, p.live, p.ready
		p.mu.Unlock()
		if live {
			return l, nil
		}
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-p.feed.crew.ctx.Done():
			return nil, ErrClosed
		}
	}
}

// Unfollow is of gateway.Feed. A line that cannot be told is cut.
func (f *feed) Unfollow(ctx context.Context, topic string) error {
	if err := ctx.Err(); err != nil {
		return wrap("unfollow a topic", err)
	}
	p := f.parts[hashTo(topic, len(f.parts))]
	p.mu.Lock()
	delete(p.topics, topic)
	p.mu.Unlock()
	f.leave(ctx, p, topic)
	return nil
}

// leave has the line unsubscribed from a topic that nobody wants.
func (f *feed) leave(ctx context.Context, p *feedPart, topic string) {
	p.mu.Lock()
	l := p.line
	p.mu.Unlock()
	if l == nil {
		return
	}
	if err := l.unsubscribe(ctx, p, topic); err != nil {
		l.end(err)
	}
}
