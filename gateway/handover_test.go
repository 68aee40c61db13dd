package gateway

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"
)

// lateSessions calls meanwhile, once, between a Take that found nothing and its
// caller's learning so.
type lateSessions struct {
	*MemorySessions
	once      sync.Once
	meanwhile func()
}

func (l *lateSessions) Take(ctx context.Context, node, id string) (StoredSession, error) {
	rec, err := l.MemorySessions.Take(ctx, node, id)
	if err != nil {
		l.once.Do(l.meanwhile)
	}
	return rec, err
}

// A client comes to the successor before its session was saved; by the time that
// the predecessor is asked for it, it has been, and the predecessor is gone.
func TestSessionIsSavedWhileItIsAskedFor(t *testing.T) {
	store := &lateSessions{MemorySessions: NewMemorySessions()}
	options := shared(t, func(o *Options) { o.Sessions = store })
	old, url := testGateway(t, options)
	fresh, _ := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	old.HandTo(fresh)
	store.meanwhile = func() { shutdown(t, old, 5*time.Second) }
	resume(t, url, "ann", session, 1).want(0, "RESUMED")
}

// Who asks for another user's session at the successor disturbs nobody (S5).
func TestForeignSessionStaysAtThePredecessor(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	fresh, _ := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	old.HandTo(fresh)
	resume(t, url, "eve", session, 1).want(9, "")
	publishNumbers(t, fresh, "t", 0, 3)
	c.wantEvents(2, 0, 3)
	if n := fresh.Stats().ResumesRefused["user"]; n != 1 {
		t.Errorf("%v", fresh.Stats().ResumesRefused)
	}
}

// A gateway that hands to itself, or to one that hands to it, would serve a
// request for ever.
func TestHandToTurnsInNoCircle(t *testing.T) {
	a, _ := testGateway(t, nil)
	b, _ := testGateway(t, nil)
	c, _ := testGateway(t, nil)
	a.HandTo(b)
	b.HandTo(c)
	for name, hand := range map[string]func(){
		"to nobody": func() { c.HandTo(nil) },
		"to itself": func() { c.HandTo(c) },
		"back":      func() { c.HandTo(a) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			hand()
		})
	}
}

// A topic in which nothing happens keeps its session's place while others of its
// partition fill the history: nothing is missed, so nothing is lost.
func TestQuietTopicInABusyPartition(t *testing.T) {
	for name, leave := range map[string]func(t *testing.T, g *Gateway) error{
		"Shutdown": func(t *testing.T, g *Gateway) error { return shutdown(t, g, 5*time.Second) },
		"Move": func(t *testing.T, g *Gateway) error {
			_, err := g.Move(t.Context(), func(*Session) (string, bool) { return "", true })
			return err
		},
	} {
		t.Run(name, func(t *testing.T) { quietTopicInABusyPartition(t, leave) })
	}
}

func quietTopicInABusyPartition(t *testing.T, leave func(*testing.T, *Gateway) error) {
	broker := NewMemoryBroker(MemoryBrokerOptions{History: 3})
	options := shared(t, func(o *Options) { o.Broker = broker })
	busy := func(topic string) string {
		want, _ := broker.partition(topic)
		for i := 0; ; i++ {
			name := fmt.Sprint("busy", i)
			if p, _ := broker.partition(name); p == want {
				return name
			}
		}
	}
	old, url := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	publishNumbers(t, old, busy("t"), 0, 10)
	publishNumbers(t, old, busy("u"), 0, 10)
	if err := leave(t, old); err != nil {
		t.Fatal(err)
	}
	fresh, url := testGateway(t, options)
	publishNumbers(t, fresh, busy("t"), 10, 12)
	publishNumbers(t, fresh, "t", 0, 1)
	c = resume(t, url, "ann", session, 1)
	c.wantEvents(2, 0, 1)
	c.want(0, "RESUMED")
	_, partition := broker.partition("t")
	if n := len(partition.followers["t"]); n > 1 {
		t.Errorf("%d followers", n)
	}
}
