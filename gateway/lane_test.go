package gateway

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/histogram"
)

// testLane returns a lane that runs only when a test calls slice, and a way to
// make sessions for it, which nobody is connected to.
func testLane() (*lane, func(topics ...string) *Session) {
	g := &Gateway{began: time.Now()}
	l := newLane(0, &workers{queue: make(chan *lane, 2)}, time.Now, new(histogram.Histogram))
	return l, func(topics ...string) *Session {
		s := &Session{gw: g, lane: l, ring: newRing()}
		for _, name := range topics {
			sub := &subscription{session: s, topic: &topic{name: name}}
			s.subs = append(s.subs, sub)
			l.enqueue(name, entry{join: sub})
		}
		return s
	}
}

func publishTo(l *lane, topic string, n int) {
	for range n {
		l.enqueue(topic, entry{event: keep(topic)})
	}
}

// L2: topics are served in turn, so that a large one with much to do does not
// hold up a small one.
func TestLaneServesTopicsInTurn(t *testing.T) {
	l, session := testLane()
	for range 10_000 {
		session("large")
	}
	small := session("small")
	for l.slice(new(scratch)) {
	}
	publishTo(l, "large", 500)
	publishTo(l, "small", 1)
	slices := 0
	for small.ring.unsentLive == 0 {
		slices++
		if more := l.slice(new(scratch)); !more && small.ring.unsentLive == 0 {
			t.Fatal("the small topic's event is lost")
		}
	}
	if slices > 2 {
		t.Errorf("the small topic waited for %d slices", slices)
	}
}

// L1: a slice ends after 128 sessions.
func TestLaneSliceIsBounded(t *testing.T) {
	l, session := testLane()
	sessions := make([]*Session, 1000)
	for i := range sessions {
		sessions[i] = session("t")
	}
	publishTo(l, "t", 1)
	l.slice(new(scratch))
	served := 0
	for _, s := range sessions {
		served += s.ring.unsentLive
	}
	if served > sliceSessions {
		t.Errorf("one slice served %d sessions", served)
	}
	for l.slice(new(scratch)) {
	}
	for i, s := range sessions {
		if s.ring.unsentLive != 1 {
			t.Fatalf("session %d has %d events", i, s.ring.unsentLive)
		}
	}
}

// E3: who joins or leaves does so at one moment of the topic, also while a run
// of events is half handed out.
func TestLaneChangesAreInOrder(t *testing.T) {
	l, session := testLane()
	var all []*Session
	for range 300 {
		all = append(all, session("t"))
	}
	publishTo(l, "t", 3)
	l.slice(new(scratch)) // 128 of 300 have them
	late := session("t")
	l.enqueue("t", entry{leave: all[0].subs[0]})
	all[299].subs[0].cut = true
	l.enqueue("t", entry{leave: all[299].subs[0]})
	publishTo(l, "t", 2)
	for l.slice(new(scratch)) {
	}
	for i, s := range append(all, late) {
		want := 5
		switch i {
		case 0:
			want = 3
		case 299:
			want = 0
		case 300:
			want = 2
		}
		if s.ring.unsentLive != want {
			t.Errorf("session %d has %d events, want %d", i, s.ring.unsentLive, want)
		}
	}
	for i, sub := range l.topics["t"].subs {
		if sub.place != int32(i) {
			t.Errorf("subscription %d believes to be at %d", i, sub.place)
		}
	}
	for _, s := range append(all[1:299], late) {
		l.enqueue("t", entry{leave: s.subs[0]})
	}
	for l.slice(new(scratch)) {
	}
	if len(l.topics) != 0 {
		t.Error("a topic without subscribers is remembered")
	}
}

// L2: publishers wait for a full lane, as long as their context lasts.
func TestLaneAwait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, session := testLane()
		session("t")
		publishTo(l, "t", laneQueue)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := l.await(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("await on a full lane: %v", err)
		}
		waiting := make(chan error)
		go func() { waiting <- l.await(context.Background()) }()
		synctest.Wait()
		for l.slice(new(scratch)) {
		}
		if err := <-waiting; err != nil {
			t.Error(err)
		}
	})
}

// Authenticate runs for a bounded number at once; who waits is kept alive.
func TestIdentifiesAtOnce(t *testing.T) {
	running, release := make(chan string, 3), make(chan struct{})
	_, url := testGateway(t, func(o *Options) {
		o.Limits.Identifies = 2
		o.Authenticate = func(ctx context.Context, id Identify) (User, error) {
			running <- id.Token
			<-release
			return User{ID: id.Token}, nil
		}
	})
	var clients []*testClient
	for i := range 3 {
		c := dial(t, url)
		c.want(10, "")
		c.identify(fmt.Sprint("u", i))
		c.send(`{"op":1,"d":null}`)
		c.want(11, "")
		clients = append(clients, c)
	}
	<-running
	<-running
	select {
	case token := <-running:
		t.Errorf("%s is the third that runs at once", token)
	default:
	}
	close(release)
	for _, c := range clients {
		c.want(0, "READY")
	}
}
