package redis

import (
	"context"
	"sync"
)

// crew is goroutines that end together.
type crew struct {
	ctx     context.Context // ends with close
	stop    context.CancelFunc
	mu      sync.Mutex // guards closed, and that nothing is added to running after it
	closed  bool
	running sync.WaitGroup
}

func newCrew() *crew {
	c := &crew{}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// start has a goroutine run f, unless the crew was closed.
func (c *crew) start(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.running.Go(f)
	return true
}

// close ends ctx and waits for all goroutines, until ctx ends: those that wait for the client end with
// its own timeouts.
func (c *crew) close(ctx context.Context) error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	if !over(ctx, &c.running) {
		return ctx.Err()
	}
	return nil
}
