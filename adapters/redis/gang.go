package redis

import (
	"context"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// gang sends the calls of many goroutines in one go: while some are on their way others collect, and go
// next. So an idle one costs a call no time, and a busy one little of the network. Calls leave in the order
// in which they came.
type gang struct {
	client goredis.UniversalClient
	crew   *crew
	within time.Duration // for which those on their way are waited for

	mu      sync.Mutex // never held while Redis is called
	waiting []*member
	flying  bool // a goroutine sends
}

// member is a call of a gang.
type member struct {
	call
	ctx  context.Context // of who waits for it
	done chan struct{}
}

// mostAtOnce is how many calls go in one go.
const mostAtOnce = 256

// do has a call done, and returns when it is, or when ctx or the crew ends: then it may still be done.
func (g *gang) do(ctx context.Context, c call) (any, error) {
	m, err := g.join(ctx, c)
	if err != nil {
		return nil, err
	}
	if err := g.await(m); err != nil {
		return nil, err
	}
	return m.Val(), nil
}

// doAll is do of many. It returns the first error.
func (g *gang) doAll(ctx context.Context, calls []call) (first error) {
	all := make([]*member, 0, len(calls))
	for _, c := range calls {
		m, err := g.join(ctx, c)
		if err != nil {
			return err
		}
		all = append(all, m)
	}
	for _, m := range all {
		if err := g.await(m); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// join has a call go with the next.
func (g *gang) join(ctx context.Context, c call) (*member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m := &member{c, ctx, make(chan struct{})}
	if !g.add(m) {
		return nil, ErrClosed
	}
	return m, nil
}

// await waits until a call is done.
func (g *gang) await(m *member) error {
	select {
	case <-m.done:
		if err := m.Err(); err != nil {
			return ended(m.ctx, err)
		}
		return nil
	case <-m.ctx.Done():
		return m.ctx.Err()
	case <-g.crew.ctx.Done():
		return ErrClosed
	}
}

func (g *gang) add(m *member) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.flying && !g.crew.start(g.fly) {
		return false
	}
	g.flying = true
	g.waiting = append(g.waiting, m)
	return true
}

// fly sends until nobody waits.
func (g *gang) fly() {
	for {
		g.mu.Lock()
		now := g.waiting[:min(len(g.waiting), mostAtOnce)]
		g.waiting = g.waiting[len(now):]
		if len(now) == 0 {
			g.waiting, g.flying = nil, false
			g.mu.Unlock()
			return
		}
		g.mu.Unlock()
		g.send(now)
	}
}

func (g *gang) send(all []*member) {
	var calls []call
	var of []*member
	for _, m := range all {
		if m.ctx.Err() == nil { // else nobody waits for it any more
			calls, of = append(calls, m.call), append(of, m)
		}
	}
	ctx, cancel := context.WithTimeout(g.crew.ctx, g.within)
	defer cancel()
	_ = exec(ctx, g.client, calls) // each has its error
	for i, m := range of {
		m.call = calls[i]
		close(m.done)
	}
}
