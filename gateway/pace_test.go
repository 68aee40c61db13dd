package gateway

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stuckSessions keep every Save waiting until so many do.
type stuckSessions struct {
	*MemorySessions
	mu     sync.Mutex
	left   int
	loosen chan struct{}
}

func (s *stuckSessions) Save(ctx context.Context, node string, recs ...StoredSession) error {
	s.mu.Lock()
	if s.left--; s.left == 0 {
		close(s.loosen)
	}
	s.mu.Unlock()
	select {
	case <-s.loosen:
		return s.MemorySessions.Save(ctx, node, recs...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// When a store was slow, clients are sent away at the drain's rate all the same.
func TestDrainKeepsItsRate(t *testing.T) {
	const clients, rate = 40, 100
	store := &stuckSessions{MemorySessions: NewMemorySessions(), left: clients, loosen: make(chan struct{})}
	g, url := testGateway(t, shared(t, func(o *Options) {
		o.Sessions = store
		o.Limits.DrainRate = rate
		o.Limits.Checkpoint = time.Hour // no copies: what is saved is a drain's
	}))
	left := make(chan time.Time, clients)
	var all sync.WaitGroup
	for range clients {
		c, _ := signIn(t, url, "ann")
		all.Go(func() {
			for {
				m, err := c.read()
				if err != nil {
					return
				}
				if m.Op == 7 {
					left <- time.Now()
				}
			}
		})
	}
	if err := shutdown(t, g, 30*time.Second); err != nil {
		t.Fatal(err)
	}
	all.Wait()
	if len(left) != clients {
		t.Fatalf("%d of %d clients were sent away", len(left), clients)
	}
	first := <-left
	last := first
	for range clients - 1 {
		at := <-left
		if at.Before(first) {
			first = at
		}
		if at.After(last) {
			last = at
		}
	}
	if want := (clients - 2) * time.Second / rate; last.Sub(first) < want {
		t.Errorf("%d clients were sent away within %v, want %v at least", clients, last.Sub(first), want)
	}
}

// Turns are as far apart as the pace says, also after a while in which nobody came; none is
// waited for once ctx has ended, and half of its time is the most that a pace takes.
func TestPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &Gateway{limits: Limits{DrainRate: 10}}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		began := time.Now()
		p := g.pace(ctx, 100)
		for i, want := range []time.Duration{0, 100, 200, 1000, 1100} {
			if i == 3 {
				pause(ctx, 800*time.Millisecond)
			}
			p.turn(ctx)
			if got := time.Since(began); got != want*time.Millisecond {
				t.Errorf("turn %d is after %v, want %v", i, got, want*time.Millisecond)
			}
		}
		if p := g.pace(ctx, 1000); p.every > 30*time.Millisecond {
			t.Errorf("1,000 in a minute go every %v", p.every)
		}
		cancel()
		before := time.Now()
		p.turn(ctx)
		p.run(ctx, 5, func(int) {})
		if took := time.Since(before); took > 0 {
			t.Errorf("after the end of ctx: %v", took)
		}
		if p := (&Gateway{limits: Limits{DrainRate: -1}}).pace(t.Context(), 7); p.every != 0 {
			t.Errorf("without a rate they go every %v", p.every)
		}
	})
}
