package main

import "sync"

// gate lets requests in until it is shut, which waits for those inside: what
// they have kept is told before the gateway ends. The zero value is open.
type gate struct {
	mu   sync.RWMutex
	shut bool
}

// enter reports whether there is still time; then leave must follow.
func (g *gate) enter() bool {
	g.mu.RLock()
	if g.shut {
		g.mu.RUnlock()
		return false
	}
	return true
}

func (g *gate) leave() { g.mu.RUnlock() }

func (g *gate) close() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.shut = true
}
