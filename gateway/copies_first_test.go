package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A session is in the store before its client learns of it: however young, it goes
// on at another node, whether its own lives, ends or is killed (C1).
func TestYoungSessionGoesOnElsewhere(t *testing.T) {
	for name, leave := range map[string]func(*testing.T, *Gateway){
		"its node lives":  func(*testing.T, *Gateway) {},
		"its node drains": func(t *testing.T, g *Gateway) { go shutdown(t, g, 5*time.Second) },
		"its node is killed": func(t *testing.T, g *Gateway) { // and its lease is over
			if err := g.opts.Sessions.Renew(t.Context(), g.lease.node, 0); err != nil {
				t.Error(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range 20 {
				a, b, urlA, urlB := twoNodes(t)
				user := fmt.Sprint("user ", i)
				_, session := signIn(t, urlA, user)
				leave(t, a)
				again := resume(t, urlB, user, session, 1)
				again.want(0, "RESUMED")
				publishNumbers(t, b, "t", 0, 1)
				again.wantEvents(2, 0, 1)
			}
		})
	}
}

// stalledSessions keeps nothing as long as it stalls, and counts who asks.
type stalledSessions struct {
	*MemorySessions
	stalls atomic.Pointer[chan struct{}] // closed when it does no more; nil: it does not
	saves  atomic.Int32
}

func (s *stalledSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	s.saves.Add(1)
	if stall := s.stalls.Load(); stall != nil {
		select {
		case <-*stall:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.MemorySessions.Save(ctx, node, records...)
}

// A store that does not answer holds the first READY for a second, and no other;
// the copies follow.
func TestReadyDoesNotWaitForAStalledStore(t *testing.T) {
	store := &stalledSessions{MemorySessions: NewMemorySessions()}
	stall := make(chan struct{})
	store.stalls.Store(&stall)
	a, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	began := time.Now()
	signIn(t, url, "ann")
	if took := time.Since(began); took < firstCopyWithin || took > 4*firstCopyWithin {
		t.Errorf("the first READY took %v", took)
	}
	began = time.Now()
	var sessions []string
	for i := range 10 {
		_, session := signIn(t, url, fmt.Sprint("bob ", i))
		sessions = append(sessions, session)
	}
	if took := time.Since(began); took > 4*firstCopyWithin {
		t.Errorf("ten more took %v", took)
	}
	close(stall)
	eventually(t, "their copies are there", func() bool {
		for _, session := range sessions {
			var taken *TakenError
			if _, err := store.Take(t.Context(), "a test", session); !errors.As(err, &taken) {
				return false
			}
		}
		return true
	})
	// READY waits again.
	stall = make(chan struct{})
	store.stalls.Store(&stall)
	eventually(t, "the store is in time", func() bool { return !a.copies.late.Load() })
	began = time.Now()
	signIn(t, url, "eve")
	if took := time.Since(began); took < firstCopyWithin {
		t.Errorf("READY took %v", took)
	}
	close(stall)
}

// Sessions that begin at once share what the store is asked.
func TestFirstCopiesAreSavedTogether(t *testing.T) {
	store := &stalledSessions{MemorySessions: NewMemorySessions()}
	_, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	const clients = 100
	var all sync.WaitGroup
	for i := range clients {
		all.Go(func() { signIn(t, url, fmt.Sprint("user ", i)) })
	}
	all.Wait()
	if n := store.saves.Load(); n > clients/2 {
		t.Errorf("%d calls of Save for %d sessions", n, clients)
	}
}

// Who may not sign in leaves nothing in the store.
func TestFailedSignInIsForgotten(t *testing.T) {
	store := NewMemorySessions()
	g, url := testGateway(t, shared(t, func(o *Options) {
		o.Sessions = store
		ready := o.Ready
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			time.AfterFunc(0, func() { s.gw.KickUser(context.Background(), "ann", "not you") })
			return ready(ctx, s)
		}
	}))
	c := dial(t, url)
	c.want(10, "")
	c.identify("ann")
	for {
		if _, err := c.read(); err != nil {
			break
		}
	}
	eventually(t, "the store is empty", func() bool {
		store.mu.Lock()
		defer store.mu.Unlock()
		return g.Stats().Sessions == 0 && len(store.byID) == 0
	})
}

// ambiguousSessions saves what nobody is to have, and says that it has not.
type ambiguousSessions struct {
	*MemorySessions
	deleted atomic.Int32
}

func (s *ambiguousSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	err := s.MemorySessions.Save(ctx, node, records...)
	if records[0].Node == "" {
		err = errors.Join(err, errors.New("nobody knows"))
	}
	return err
}

func (s *ambiguousSessions) Delete(ctx context.Context, node string, ids ...string) error {
	s.deleted.Add(int32(len(ids)))
	return s.MemorySessions.Delete(ctx, node, ids...)
}

// A session whose Save failed, and that goes on here, is this node's for whoever asks
// the store: neither nobody's nor unknown (C4).
func TestSessionThatWasNotSavedIsStillThisNodes(t *testing.T) {
	store := &ambiguousSessions{MemorySessions: NewMemorySessions()}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	c, session := signIn(t, url, "ann")
	if n, err := g.Move(t.Context(), func(*Session) (string, bool) { return "", true }); n != 0 || err == nil {
		t.Fatalf("%d moved, %v", n, err)
	}
	var taken *TakenError
	if _, err := store.Take(t.Context(), "a test", session); !errors.As(err, &taken) || taken.Node != g.lease.node || store.deleted.Load() != 0 {
		t.Errorf("the store says %v, after %d were deleted", err, store.deleted.Load())
	}
	publishNumbers(t, g, "t", 0, 2)
	c.wantEvents(2, 0, 2)
}
