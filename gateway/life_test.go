package gateway

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// A goodbye has its 5 s, whatever becomes of the sign-in that was under way.
func TestInvalidSessionDoesNotPutOffAGoodbye(t *testing.T) {
	g, url := testGateway(t, nil)
	dialRaw(t, url)
	var c *conn
	eventually(t, "it is there", func() bool {
		for _, c = range g.byConn.All() {
			return true
		}
		return false
	})
	c.close(CloseRestart, "")
	before := time.Unix(0, c.nextCheck(g.now()).UnixNano())
	c.invalidSession("busy")
	if at := c.nextCheck(g.now()); at.After(before) {
		t.Errorf("it is given up %v later", at.Sub(before))
	}
}

// A sign-in that finds no place leaves nothing behind.
func TestRefusedSessionLeavesNothing(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		o.Shards = shard.NewManager(shard.Options{MaxPerShard: 1, MaxShards: 1})
	})
	login(t, url, "ann")
	_, err := g.newSession(User{ID: "bob"}, Identify{})
	if err == nil {
		t.Fatal("there was a place")
	}
	s := g.makeSession("x", User{ID: "bob"}, Identify{})
	if g.enter(s) == nil || s.context().Err() == nil {
		t.Error("the context of a session that never was goes on")
	}
}

// What Send took is in the ring, whenever the session is saved (S2).
func TestSendWhileFreezing(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	s := g.find(session)
	var taken atomic.Int64
	var senders sync.WaitGroup
	for range 4 {
		senders.Go(func() {
			for range 1000 {
				switch err := s.Send(t.Context(), Event{Type: "E"}); {
				case err == nil:
					taken.Add(1)
				case !errors.Is(err, ErrClosed):
					t.Error(err)
					return
				}
			}
		})
	}
	for range 1000 {
		topics, err := s.freeze()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.thaw(t.Context(), topics); err != nil {
			t.Fatal(err)
		}
	}
	senders.Wait()
	if n := int64(s.Queue().Unsent); n != taken.Load() {
		t.Errorf("%d events were taken, %d are there", taken.Load(), n)
	}
}

// A session whose sign-in is under way is not saved: its client does not know
// of it yet.
func TestSignInUnderWayIsNotSaved(t *testing.T) {
	store := NewMemorySessions()
	begun, release := make(chan struct{}), make(chan struct{})
	g, url := testGateway(t, shared(t, func(o *Options) {
		o.Sessions = store
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			close(begun)
			<-release
			return nil, s.Subscribe(ctx, "t")
		}
	}))
	c := dial(t, url)
	c.want(10, "")
	c.identify("ann")
	<-begun
	done := make(chan error)
	go func() { done <- shutdown(t, g, 10*time.Second) }()
	eventually(t, "it drains", func() bool { return g.Health() != nil })
	<-time.After(50 * time.Millisecond)
	if n := store.Len(); n != 0 {
		t.Errorf("%d sessions are in the store", n)
	}
	close(release)
	c.want(0, "READY")
	c.want(7, "")
	c.wantClose(CloseRestart)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if n := store.Len(); n != 1 {
		t.Errorf("%d sessions are in the store, want hers", n)
	}
}
