package gateway

import (
	"context"
	"sync"
	"time"
)

// pace is how fast sessions leave. They begin to at that rate, and each awaits its
// turn before its client is sent away: those that waited for the same thing, a store
// that was slow for a second, do not go all at once.
type pace struct {
	every time.Duration // between two; 0: all at once

	mu   sync.Mutex
	next time.Time // the next turn
}

// pace is the drain's rate for so many, or as much faster as it takes to use no more
// than half of the time that ctx leaves.
func (g *Gateway) pace(ctx context.Context, n int) *pace {
	n = max(n, 1)
	var window time.Duration
	if rate := g.limits.DrainRate; rate > 0 {
		window = time.Duration(n) * time.Second / time.Duration(rate)
	}
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	return &pace{every: max(window, 0) / time.Duration(n)}
}

// run calls start for 0 to n-1, one after the other; without a pause once ctx has ended.
func (p *pace) run(ctx context.Context, n int, start func(int)) {
	began := time.Now()
	for i := range n {
		pause(ctx, time.Until(began.Add(p.every*time.Duration(i))))
		start(i)
	}
}

// turn returns when it is somebody's turn to leave, or ctx has ended. No pace is none.
func (p *pace) turn(ctx context.Context) {
	if p == nil || p.every == 0 {
		return
	}
	p.mu.Lock()
	at := time.Now()
	if at.Before(p.next) {
		at = p.next
	}
	p.next = at.Add(p.every)
	p.mu.Unlock()
	pause(ctx, time.Until(at))
}

// pause waits, unless ctx has ended.
func pause(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
