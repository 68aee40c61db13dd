package gateway

import (
	"context"
	"sync"
)

// goroutines counts goroutines of one kind, so that Shutdown can wait for
// them. Unlike a sync.WaitGroup it may be entered while somebody waits. The
// zero value is ready to use.
type goroutines struct {
	mu   sync.Mutex
	n    int
	shut bool
	zero chan struct{} // closed when n reaches 0; nil while nobody waits
}

// enter counts one more, unless the group is shut.
func (g *goroutines) enter() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.shut {
		return false
	}
	g.n++
	return true
}

// leave undoes an enter.
func (g *goroutines) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.n--
	if g.n == 0 && g.zero != nil {
		close(g.zero)
		g.zero = nil
	}
}

// start runs fn in a goroutine of the group, shut or not: it is for those that
// finish what somebody of the group began.
func (g *goroutines) start(fn func()) {
	g.mu.Lock()
	g.n++
	g.mu.Unlock()
	go func() {
		defer g.leave()
		fn()
	}()
}

// count returns how many there are.
func (g *goroutines) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.n
}

// close lets nobody enter from now on.
func (g *goroutines) close() {
	g.mu.Lock()
	g.shut = true
	g.mu.Unlock()
}

// wait returns when nobody is left, or with ctx's error.
func (g *goroutines) wait(ctx context.Context) error {
	g.mu.Lock()
	if g.n == 0 {
		g.mu.Unlock()
		return nil
	}
	if g.zero == nil {
		g.zero = make(chan struct{})
	}
	zero := g.zero
	g.mu.Unlock()
	select {
	case <-zero:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
