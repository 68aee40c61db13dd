package gateway

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Shutdown drains the gateway and ends it. Health turns, and upgrades are held
// for a successor, see [Gateway.HandTo]. Sessions, a few at a time (see
// Limits.DrainRate), finish their commands, are saved in Options.Sessions, are
// told to reconnect (op 7) and closed 1012; connections without one are closed
// 1012 at once. When all goroutines have ended the broker's feed and the
// gateway's own presence are closed.
//
// When ctx ends first, what is left is cut off and its error returned, within
// ctx whatever clients, handlers and stores do; sessions that were not saved by
// then are lost, and their clients told. What it waits for is logged every 5 s.
//
// http.Server.Shutdown does not know of upgraded connections: call this one,
// then that.
func (g *Gateway) Shutdown(ctx context.Context) error {
	if !g.draining.CompareAndSwap(false, true) {
		return ErrClosed
	}
	stop := g.logWaiting()
	defer stop()
	g.conns.close()
	for _, c := range g.byConn.All() {
		if c.hasNotBegun() {
			c.sayRestart(nil)
		}
	}
	err := g.drain(ctx) // with those whose sign-in is under way
	for _, c := range g.byConn.All() {
		c.sayRestart(nil)
	}
	early, cancel := before(ctx, abortWithin)
	defer cancel()
	if e := g.conns.wait(early); e != nil {
		err = e
		for _, c := range g.byConn.All() {
			c.abort()
		}
	}
	err = errors.Join(err,
		g.conns.wait(ctx),
		g.readers.wait(ctx),
		g.writers.wait(ctx),
		g.identifies.Wait(ctx),
		g.resumes.Wait(ctx),
		g.releases.wait(ctx),
		g.commands.Wait(ctx),
		g.chores.Wait(ctx),
		g.presence.Close(ctx),
		g.feed.Close(ctx),
	)
	g.stop()
	g.closePoller()
	g.clock.Wait()
	g.workers.stop()
	return errors.Join(err, g.endCopies(ctx), g.topics.calls.wait(ctx))
}

// abortWithin is what Shutdown keeps of its time for connections that it cuts off.
const abortWithin = 200 * time.Millisecond

// before returns a context that ends some time before ctx does, or a fifth of
// what is left before it.
func before(ctx context.Context, by time.Duration) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(by, time.Until(deadline)/5)))
}

// waitingLogged is how often Shutdown says what it waits for.
const waitingLogged = 5 * time.Second

// logWaiting says what Shutdown waits for until stop is called.
func (g *Gateway) logWaiting() (stop func()) {
	began, done := time.Now(), make(chan struct{})
	var logger sync.WaitGroup
	logger.Go(func() {
		ticker := time.NewTicker(waitingLogged)
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ticker.C:
			}
			g.log.Warn("shutdown is still waiting",
				"after", time.Since(began).Round(time.Second),
				"sessions", g.bySession.Stats().Total,
				"connections", g.byConn.Stats().Total,
				"sign-ins", g.identifies.Running()+g.resumes.Running(),
				"commands", g.commands.Running(),
				"chores", g.chores.Running(),
				"slow writers", g.writers.count())
		}
	})
	return func() {
		close(done)
		logger.Wait()
	}
}

// sayRestart sends a client elsewhere. Reconnect is for those that have seen
// READY: discordgo deadlocks on an earlier one.
func (c *conn) sayRestart(hint []byte) {
	if c.ready() != nil {
		c.mu.Lock()
		c.told = true
		c.mu.Unlock()
		c.send(appendMessage(nil, c.form, opReconnect, hint))
	}
	c.close(CloseRestart, "")
}

// hasNotBegun reports whether the client has yet to sign in.
func (c *conn) hasNotBegun() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.stage == stageHello
}
