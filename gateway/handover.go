package gateway

import (
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
// shares Broker and Sessions with this one. A client that reaches it before its
// session was saved has it saved at once, as one that comes to any other node. Only
// the first call counts. HandTo panics if next is nil, or hands to g itself.
func (g *Gateway) HandTo(next http.Handler) {
	if next == nil {
		panic("gateway: HandTo: no successor")
	}
	if g.isReachedFrom(next) {
		panic("gateway: HandTo: the successor hands to this gateway")
	}
	g.successor.once.Do(func() {
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
