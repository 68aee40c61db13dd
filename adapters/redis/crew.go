package redis

import (
	"context"
	"errors"
	"slices"
	"sync"

	goredis "github.com/redis/go-redis/v9"
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

// run calls f, which waits for Redis, and returns its error, or that of ctx or the crew if they end before:
// then it goes on. The client does not always heed a context.
func (c *crew) run(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	result := make(chan error, 1)
	if !c.start(func() { result <- f(ctx) }) {
		return ErrClosed
	}
	select {
	case err := <-result:
		if err != nil {
			err = ended(ctx, err)
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-c.ctx.Done():
		return ErrClosed
	}
}

// do runs calls in one go, each of which has its own error afterwards, and returns the first.
func (c *crew) do(ctx context.Context, client goredis.UniversalClient, calls ...call) ([]call, error) {
	running := slices.Clone(calls) // the goroutine's own: we may be gone before it is
	err := c.run(ctx, func(ctx context.Context) error { return exec(ctx, client, running) })
	if err != nil && (ctx.Err() != nil || errors.Is(err, ErrClosed)) {
		return nil, err
	}
	return running, err
}
