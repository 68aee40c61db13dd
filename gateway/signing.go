package gateway

import (
	"context"
	"errors"

	"github.com/gatehouse-go/gatehouse/gateway/internal/runner"
)

// signing is what a connection needs while its client signs in: there is one
// while there is a job.
type signing struct {
	ctx    context.Context // ends with the connection, or with the last job
	cancel context.CancelFunc
	done   chan struct{} // closed when no job is left

	jobs int // begun or not; guarded by the connection's mu
}

var errReadyTimeout = errors.New("gateway: Authenticate and Ready took too long")

// signInBy has a job done that asks the application: it may take its time,
// heartbeats are answered meanwhile. When too many wait already, busy is called.
// Each job has a queue of its own: the one before, of the other runner maybe,
// need not be over when its client has its answer and asks for the next.
func (c *conn) signInBy(by *runner.Runner, busy func(), job func(ctx context.Context)) {
	ctx := c.beginSigning()
	taken := by.Go(new(runner.Queue), 0, func() {
		defer c.endSigning()
		ctx, cancel := c.gw.signInContext(ctx)
		defer cancel()
		c.gw.guard(func() { job(ctx) }, func() { c.close(CloseUnknown, "sign-in failed, try again later") })
	})
	if !taken {
		c.endSigning()
		busy()
	}
}

func (c *conn) beginSigning() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.signing == nil {
		c.signing = &signing{done: make(chan struct{})}
		c.signing.ctx, c.signing.cancel = context.WithCancel(c.gw.ctx)
	}
	c.signing.jobs++
	return c.signing.ctx
}

func (c *conn) endSigning() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.signing
	if s.jobs--; s.jobs == 0 {
		s.cancel()
		close(s.done)
		c.signing = nil
	}
}

// awaitSigning ends what is left of signing in, for a reader that has ended.
func (c *conn) awaitSigning() {
	c.mu.Lock()
	s := c.signing
	c.mu.Unlock()
	if s != nil {
		s.cancel()
		<-s.done
	}
}

// signInContext bounds what the application does to let a client in.
func (g *Gateway) signInContext(ctx context.Context) (context.Context, context.CancelFunc) {
	if t := g.limits.ReadyTimeout; t > 0 {
		return context.WithTimeoutCause(ctx, t, errReadyTimeout)
	}
	return context.WithCancel(ctx)
}
