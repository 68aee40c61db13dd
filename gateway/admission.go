package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gatehouse-go/gatehouse/pool"
)

// Accepting, identifying and resuming have budgets of their own, so that a storm
// of one does not starve the others. Whoever is over one is told at once, and
// when to come back.

// admit registers a connection before it is upgraded, or says why not.
func (g *Gateway) admit(c *conn) *refusal {
	if g.memory.above(pressureAccept) {
		g.stats.refuse("memory")
		return &refusal{503, "out of memory", retryIn(10 * time.Second)}
	}
	if wait := g.over("accept", g.limits.AcceptRate); wait > 0 {
		g.stats.refuse("rate")
		return &refusal{503, "too many connections at once", retryIn(wait)}
	}
	if !g.conns.enter() {
		g.stats.refuse("draining")
		return &refusal{503, "shutting down", retryIn(time.Second)}
	}
	c.id = g.lastConn.Add(1)
	c.info.ID = c.id
	c.lane = g.lanes[c.id%uint64(len(g.lanes))]
	err := g.byConn.Add(c.id, c, pool.Label{Kind: labelAddr, Value: c.info.Addr})
	switch {
	case err == nil:
		return nil
	case errors.Is(err, pool.ErrFull):
		g.conns.leave()
		g.stats.refuse("full")
		return &refusal{503, "too many connections", retryIn(5 * time.Second)}
	default:
		g.conns.leave()
		g.stats.refuse("address")
		return &refusal{429, "too many connections from this address", retryIn(5 * time.Second)}
	}
}

// retryIn is a hint in whole seconds: a time, and as much again at random, so
// that not all who were refused come back together.
func retryIn(wait time.Duration) int {
	return int((wait+rand.N(wait+time.Second))/time.Second) + 1
}

// over takes one of what may happen so often in a second in this process, or
// returns when there is one again.
func (g *Gateway) over(what string, rate int) time.Duration {
	if rate < 0 {
		return 0
	}
	wait, _ := g.local.Take(g.ctx, what, Rate{Burst: rate, Per: time.Second}, 1) // an error is the gateway's end
	return wait
}

// mayIdentify reports whether a new session may begin now.
func (g *Gateway) mayIdentify() bool {
	return !g.memory.above(pressureIdentify) && g.over("identify", g.limits.IdentifyRate) == 0
}

// mayResume reports whether a resume may begin now.
func (g *Gateway) mayResume() bool {
	return !g.memory.above(pressureResume) && g.over("resume", g.limits.ResumeRate) == 0
}

// errIdentifies closes a client that signs in as one user much too often.
var errIdentifies = &CloseError{Code: CloseRateLimited, Reason: "too many sessions of this user today"}

// mayBegin counts a new session of a user.
func (g *Gateway) mayBegin(ctx context.Context, user string) error {
	if g.limits.UserIdentifies < 0 {
		return nil
	}
	wait, err := g.opts.Limiter.Take(ctx, "identify:"+user, Rate{Burst: g.limits.UserIdentifies, Per: 24 * time.Hour}, 1)
	if ctx.Err() != nil {
		return ctx.Err() // the client has gone
	}
	if err != nil {
		// A limiter that fails limits nobody: it is there to protect what works.
		g.log.Warn("the limiter failed", "error", err)
		return nil
	}
	if wait > 0 {
		return errIdentifies
	}
	return nil
}

// identifyDeadline is when a client that was told Hello at now is given up, in
// Unix nanoseconds; 0 is never. Under pressure it has less time.
func (g *Gateway) identifyDeadline(now time.Time) int64 {
	timeout := g.limits.IdentifyTimeout
	if g.memory.above(pressureHurry) && (timeout < 0 || timeout > hurriedTimeout) {
		timeout = hurriedTimeout
	}
	if timeout < 0 {
		return 0
	}
	return now.Add(timeout).UnixNano()
}
