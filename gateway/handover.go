package gateway

import (
	"context"
	"net/http"
	"sync"
	"time"
)

// handover is what becomes of upgrades while the gateway drains: they are held,
// because several client libraries lose their session over a 503, until there
// is somebody to hand them to.
type handover struct {
	once  sync.Once
	next  http.Handler  // set before there is closed
	there chan struct{} // closed by HandTo
}

// heldFor is how long an upgrade is held for a successor.
const heldFor = 5 * time.Second

// HandTo has a successor answer every request from now on, and those that are
// held since Shutdown began: the gateway that takes over in this process, which
// shares Broker and Sessions with this one. A client that reaches a successor
// which is a *Gateway before its session was saved has it saved at once. Only
// the first call counts. HandTo panics if next is nil, or hands to g itself.
func (g *Gateway) HandTo(next http.Handler) {
	if next == nil {
		panic("gateway: HandTo: no successor")
	}
	if g.isReachedFrom(next) {
		panic("gateway: HandTo: the successor hands to this gateway")
	}
	g.successor.once.Do(func() {
		if heir, ok := next.(*Gateway); ok {
			heir.predecessor.Store(g)
			context.AfterFunc(g.ctx, func() { heir.predecessor.CompareAndSwap(g, nil) })
		}
		g.successor.next = next
		close(g.successor.there)
	})
}

// isReachedFrom reports whether what h is given to serve comes to g.
func (g *Gateway) isReachedFrom(h http.Handler) bool {
	for {
		heir, ok := h.(*Gateway)
		if !ok || heir == g {
			return ok
		}
		select {
		case <-heir.successor.there:
			h = heir.successor.next
		default:
			return false
		}
	}
}

// release has a user's session that is still here, or at the predecessor, saved.
// The caller looks for it in the store afterwards: it may have been saved before.
// A session of another user is left alone.
func (g *Gateway) release(ctx context.Context, id, user string) error {
	if s := g.find(id); s != nil && g.opts.Sessions != nil {
		if s.user.ID != user {
			return errForeignSession
		}
		if !g.draining.Load() { // else the drain does
			g.topics.advanceLately(ctx)
		}
		g.letGo(ctx, s, nil)
		return nil
	}
	if before := g.predecessor.Load(); before != nil {
		return before.release(ctx, id, user)
	}
	return g.giveBack(ctx, id)
}

// handOn serves a request that is not for this gateway any more, and reports
// whether it did.
func (g *Gateway) handOn(w http.ResponseWriter, r *http.Request) bool {
	h := &g.successor
	select {
	case <-h.there:
		h.next.ServeHTTP(w, r)
		return true
	default:
	}
	if !g.draining.Load() || r.Header.Get("Upgrade") == "" {
		return false
	}
	if over(int(g.holding.Add(1)), g.limits.Connections) {
		g.holding.Add(-1)
		return false // is refused
	}
	timer := time.NewTimer(heldFor)
	defer timer.Stop()
	select {
	case <-h.there:
		g.holding.Add(-1)
		h.next.ServeHTTP(w, r)
		return true
	case <-timer.C:
	case <-r.Context().Done():
	}
	g.holding.Add(-1)
	return false
}
