package gateway

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"sync/atomic"
	"time"
)

// lease is by what other nodes know that this one lives: what it has in the
// store of sessions is its own so long. A node that cannot renew it goes on
// serving: what another takes meanwhile it hears of when it saves its next copy.
type lease struct {
	node  string       // this gateway, among all that ever were
	until atomic.Int64 // Unix nanoseconds of this gateway's time

	failed lastError // of the last renewal
}

func newNodeName() string {
	var b [8]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}

// keepLease renews the lease until the gateway ends, then gives it up.
func (g *Gateway) keepLease() {
	ticker := time.NewTicker(g.limits.Lease / 3)
	defer ticker.Stop()
	for {
		_ = g.renew(g.ctx) // Degraded says what failed
		select {
		case <-ticker.C:
		case <-g.ctx.Done():
			return
		}
	}
}

// renew has the node live for another lease.
func (g *Gateway) renew(ctx context.Context) error {
	began := g.now()
	ctx, cancel := context.WithTimeout(ctx, g.limits.Lease/3)
	defer cancel()
	err := g.opts.Sessions.Renew(ctx, g.lease.node, g.limits.Lease)
	if err == nil {
		g.lease.until.Store(began.Add(g.limits.Lease).UnixNano())
	}
	g.lease.failed.set(err)
	return err
}

// alive sees to it that what is taken from the store now is not another node's
// at once.
func (g *Gateway) alive(ctx context.Context) error {
	if g.now().UnixNano() < g.lease.until.Load()-int64(g.limits.Lease/3) {
		return nil
	}
	return g.renew(ctx)
}

// endCopies has the store forget what is over, and others not wait for this
// node. What is not told is known when the lease ends, and when copies expire.
func (g *Gateway) endCopies(ctx context.Context) error {
	if g.copies == nil {
		return nil
	}
	if err := g.keepers.wait(ctx); err != nil {
		return err
	}
	err := errors.Join(g.copies.forgetEnded(ctx), g.opts.Sessions.Renew(ctx, g.lease.node, 0))
	if err != nil {
		g.log.Warn("the store of sessions does not know that this node has ended", "error", err)
	}
	return ctx.Err()
}
