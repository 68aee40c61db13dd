package server

import (
	"context"
	"sync"
)

// gate lets requests in until it is shut, which waits for those inside: what
// they have kept is told before the gateway ends. The zero value is open.
type gate struct {
	mu     sync.Mutex
	inside int
	empty  chan struct{} // not nil: shut; closed when nobody is inside
}

// enter reports whether there is still time; then leave must follow.
func (g *gate) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.empty != nil {
		return false
	}
	g.inside++
	return true
}

func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.inside--
	if g.empty != nil && g.inside == 0 {
		close(g.empty)
	}
}

// close shuts the gate, once, and waits, at most until ctx ends.
func (g *gate) close(ctx context.Context) {
	g.mu.Lock()
	g.empty = make(chan struct{})
	if g.inside == 0 {
		close(g.empty)
	}
	g.mu.Unlock()
	select {
	case <-g.empty:
	case <-ctx.Done():
	}
}
