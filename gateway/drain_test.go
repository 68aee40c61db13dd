package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// shared are the options of gateways that follow each other in a process.
func shared(t testing.TB, change func(*Options)) func(*Options) {
	broker, sessions := NewMemoryBroker(MemoryBrokerOptions{}), NewMemorySessions()
	return func(o *Options) {
		subscribeTo("t", "u")(o)
		o.Broker, o.Sessions = broker, sessions
		if change != nil {
			change(o)
		}
	}
}

func shutdown(t testing.TB, g *Gateway, within time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	began := time.Now()
	err := g.Shutdown(ctx)
	if took := time.Since(began); took > within+5*time.Second {
		t.Errorf("Shutdown within %v took %v", within, took)
	}
	return err
}

// A session goes on in the next gateway where it was in the last: what was sent
// and not seen, what was queued, and what was published while nobody had it
// (C4). Conflated events, replies and presence go with it.
func TestSessionIsHandedOver(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	Handle(old, "GREET", func(context.Context, *Session, any) (string, error) { return "hello", nil })
	here, session := signIn(t, url+"?ext=1", "ann")
	away, other := signIn(t, url, "bob")
	away.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return old.Stats().Detached == 1 })
	publishNumbers(t, old, "t", 0, 4)
	here.wantEvents(2, 0, 4)
	here.send(`{"op":100,"d":{"t":"GREET","n":"x"}}`)
	here.want(101, "")

	done := make(chan error)
	go func() { done <- shutdown(t, old, 20*time.Second) }()
	here.want(1, "") // what have you seen?
	here.send(`{"op":1,"d":3}`)
	here.want(11, "")
	if m := here.want(7, ""); len(m.D) < 10 {
		t.Errorf("Reconnect has no hint: %v", m)
	}
	here.wantClose(CloseRestart)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if s := old.Stats(); s.SessionsSaved != 2 || s.SessionsEnded != 0 {
		t.Errorf("%+v", s)
	}

	fresh, url := testGateway(t, options)
	publishNumbers(t, fresh, "t", 4, 6) // nobody has them yet
	ann := resume(t, url+"?ext=1&encoding=msgpack", "ann", session, 3)
	ann.wantEvents(4, 2, 6)
	ann.want(0, "RESUMED")
	ann.send(`{"op":100,"d":{"t":"GREET","n":"x"}}`) // unknown here: the reply is remembered
	if m := ann.want(101, ""); string(m.D) != `{"n":"x","d":"hello"}` {
		t.Errorf("reply %s", m.D)
	}
	publishNumbers(t, fresh, "t", 6, 7)
	ann.wantEvents(8, 6, 7)
	bob := resume(t, url, "bob", other, 0)
	bob.wantEvents(2, 0, 7)
	bob.want(0, "RESUMED")
	if n := fresh.Stats().Sessions; n != 2 {
		t.Errorf("%d sessions", n)
	}
}

// Nothing is lost or repeated while events are published and sessions move,
// several times; nobody is sent elsewhere twice by one drain.
func TestHandOverUnderLoad(t *testing.T) {
	options := shared(t, func(o *Options) { o.Limits.DrainRate = 200 })
	var current atomic.Pointer[Gateway]
	url := "ws" + newServer(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		current.Load().ServeHTTP(w, r)
	}))[len("http"):]
	start := func() *Gateway {
		g, _ := testGateway(t, options)
		old := current.Swap(g)
		if old != nil {
			old.HandTo(g)
		}
		return g
	}
	start()
	const clients, events, drains = 20, 3000, 4
	var wg sync.WaitGroup
	var ready sync.WaitGroup
	ready.Add(clients)
	for i := range clients {
		wg.Go(func() {
			token := fmt.Sprint("u", i)
			c, session := signIn(t, url, token)
			ready.Done()
			seen, reconnects := uint64(1), 0
			for n := 0; n < events; {
				m, err := c.event()
				if errors.Is(err, errSessionLost) || reconnects > drains {
					t.Errorf("client %d at event %d after %d reconnects: %v", i, n, reconnects, err)
					return
				}
				if err != nil {
					if c.seen > 0 { // else it was sent away before it had resumed
						reconnects++
					}
					c = dial(t, url)
					if m, err := c.read(); err == nil && m.Op == 10 {
						c.resume(token, session, seen)
					}
					continue
				}
				seen = *m.S
				switch {
				case *m.T == "RESUMED":
				case string(m.D) != fmt.Sprint(n):
					t.Errorf("client %d: want %d, got %v", i, n, m)
					return
				default:
					n++
				}
			}
			c.ws.CloseNow()
		})
	}
	ready.Wait()
	published := make(chan struct{})
	go func() {
		defer close(published)
		for n := range events {
			for {
				err := current.Load().Publish(t.Context(), "t", Event{Type: "E", Data: n})
				if err == nil {
					break
				}
				if !errors.Is(err, ErrClosed) {
					t.Error(err)
					return
				}
			}
			if n%10 == 0 {
				<-time.After(time.Millisecond)
			}
		}
	}()
	for range drains {
		<-time.After(100 * time.Millisecond)
		old := current.Load()
		start()
		if err := shutdown(t, old, patience); err != nil {
			t.Error(err)
		}
	}
	<-published
	wg.Wait()
}

// brokenSessions fails to save, until it is mended.
type brokenSessions struct {
	*MemorySessions
	mended atomic.Bool
}

func (b *brokenSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	if b.mended.Load() {
		return b.MemorySessions.Save(ctx, node, records...)
	}
	return errors.New("no room")
}

// hangingSessions saves when hang is closed.
type hangingSessions struct {
	*MemorySessions
	hang chan struct{}
}

func (h hangingSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	select {
	case <-h.hang:
		return h.MemorySessions.Save(ctx, node, records...)
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A session that cannot be saved is served on until the deadline; then its
// client is told that it is lost.
func TestSaveFails(t *testing.T) {
	for _, mended := range []bool{false, true} {
		t.Run(fmt.Sprint("mended ", mended), func(t *testing.T) {
			store := &brokenSessions{MemorySessions: NewMemorySessions()}
			g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
			c, session := signIn(t, url, "ann")
			done := make(chan error)
			within := 2 * time.Second
			if mended {
				within = 20 * time.Second
			}
			go func() { done <- shutdown(t, g, within) }()
			eventually(t, "it drains", func() bool { return g.Health() != nil })
			publishNumbers(t, g, "t", 0, 50)
			c.wantEvents(2, 0, 50)
			c.send(`{"op":1,"d":51}`)
			store.mended.Store(mended)
			told := false
			for {
				m, err := c.read()
				if err != nil {
					if code := Code(websocket.CloseStatus(err)); code != CloseRestart {
						t.Errorf("closed with %d", code)
					}
					break
				}
				told = told || m.Op == 9
			}
			if told == mended {
				t.Errorf("the client was told that the session is lost: %v", told)
			}
			<-done
			_, err := store.Take(t.Context(), "a test", session)
			if (err == nil) != mended {
				t.Errorf("in the store: %v", err)
			}
		})
	}
}

// Clients that do nothing and handlers that hang do not hold Shutdown up
// beyond its context.
func TestShutdownReturnsInTime(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	Handle(g, "HANG", func(context.Context, *Session, any) (any, error) {
		<-t.Context().Done()
		return nil, nil
	})
	hanging, _ := signIn(t, url+"?ext=1", "ann")
	hanging.send(`{"op":100,"d":{"t":"HANG","n":1}}`)
	eventually(t, "it runs", func() bool { return g.commands.Running() == 1 })
	silent := loginRaw(t, url, "bob")
	if err := shutdown(t, g, 1500*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown: %v", err)
	}
	if code := silent.closeCode(); code != CloseRestart {
		t.Errorf("the silent client was closed with %d", code)
	}
	if n := g.conns.count() + g.writers.count(); n != 0 {
		t.Errorf("%d goroutines of connections are left", n)
	}
}

// Commands that come while the session is being saved are told to come again.
func TestCommandsWhileDraining(t *testing.T) {
	store := hangingSessions{NewMemorySessions(), make(chan struct{})}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions, o.Limits.Payloads = store, -1 }))
	Handle(g, "NOW", func(context.Context, *Session, any) (any, error) { return nil, nil })
	c, _ := signIn(t, url+"?ext=1", "ann")
	done := make(chan error)
	go func() { done <- shutdown(t, g, 10*time.Second) }()
	eventually(t, "it drains", func() bool {
		c.send(`{"op":100,"d":{"t":"NOW","n":1}}`)
		var code struct {
			E struct{ Code string }
		}
		if err := json.Unmarshal(c.want(101, "").D, &code); err != nil {
			t.Fatal(err)
		}
		return code.E.Code == "UNAVAILABLE"
	})
	close(store.hang)
	c.wantClose(CloseRestart)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Upgrades are held while the gateway drains, and handed to the successor.
func TestUpgradesAreHeld(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	fresh, _ := testGateway(t, options)
	if err := shutdown(t, old, time.Second); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		login(t, url, "ann")
	}()
	eventually(t, "it is held", func() bool { return old.holding.Load() == 1 })
	old.HandTo(fresh)
	<-done
	if fresh.Stats().Connections != 1 || old.holding.Load() != 0 {
		t.Error("the successor did not get it")
	}
	login(t, url, "bob")
}

// A client that reaches the successor before its session was saved has it saved
// at once (C1).
func TestSuccessorAsksForASession(t *testing.T) {
	options := shared(t, func(o *Options) { o.Limits.DrainRate = 1 })
	old, url := testGateway(t, options)
	var clients []*testClient
	var sessions []string
	for i := range 5 {
		c, session := signIn(t, url, fmt.Sprint("u", i))
		clients, sessions = append(clients, c), append(sessions, session)
	}
	fresh, _ := testGateway(t, options)
	old.HandTo(fresh)
	go shutdown(t, old, 20*time.Second)
	publishNumbers(t, fresh, "t", 0, 3)
	for i, c := range clients {
		c.ws.CloseNow()
		c = resume(t, url, fmt.Sprint("u", i), sessions[i], 1)
		c.wantEvents(2, 0, 3)
		c.want(0, "RESUMED")
	}
	if s := fresh.Stats(); s.SessionsResumed != 5 || s.ResumesRefused != nil {
		t.Errorf("%+v", s)
	}
}

// A stored session is one gateway's at a time, and its own user's, and stays where
// it is when that cannot be.
func TestStoredSessionIsTakenOnce(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	if err := shutdown(t, old, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	g1, url1 := testGateway(t, options)
	g2, url2 := testGateway(t, options)
	resume(t, url1, "eve", session, 1).want(9, "")
	resume(t, url1, "refused", session, 1).wantClose(CloseAuthFailed)
	var wg sync.WaitGroup
	for _, url := range []string{url1, url2} {
		wg.Go(func() { resume(t, url, "ann", session, 1).read() })
	}
	wg.Wait()
	// One has taken it from the store, the other maybe from that one.
	eventually(t, "one gateway has it", func() bool { return g1.Stats().Sessions+g2.Stats().Sessions == 1 })
}

// A session whose broker does not remember enough is lost, and told so.
func TestGapIsTold(t *testing.T) {
	broker, sessions := NewMemoryBroker(MemoryBrokerOptions{History: 3}), NewMemorySessions()
	options := shared(t, func(o *Options) { o.Broker, o.Sessions = broker, sessions })
	old, url := testGateway(t, options)
	ann, session := signIn(t, url, "ann")
	bob, other := signIn(t, url, "bob")
	ann.ws.CloseNow()
	bob.ws.CloseNow()
	if err := shutdown(t, old, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	fresh, url := testGateway(t, options)
	publishNumbers(t, fresh, "t", 0, 3)
	bob = resume(t, url, "bob", other, 1)
	bob.wantEvents(2, 0, 3)
	bob.want(0, "RESUMED")
	publishNumbers(t, fresh, "t", 3, 4)
	resume(t, url, "ann", session, 1).want(9, "")
	if n := fresh.Stats().ResumesRefused["gap"]; n != 1 {
		t.Errorf("%d gaps", n)
	}
	if s := fresh.Stats(); s.Sessions != 1 || s.Detached != 0 {
		t.Errorf("something is left of it: %+v", s)
	}
}

// Broker and store go to another process as bytes.
func TestMemoryState(t *testing.T) {
	broker, sessions := NewMemoryBroker(MemoryBrokerOptions{}), NewMemorySessions()
	options := func(o *Options) {
		subscribeTo("t")(o)
		o.Broker, o.Sessions = broker, sessions
	}
	old, url := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	if err := shutdown(t, old, 5*time.Second); err != nil {
		t.Fatal(err)
	}
	b, err := broker.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	s, err := sessions.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	broker, sessions = NewMemoryBroker(MemoryBrokerOptions{}), NewMemorySessions()
	if err := errors.Join(broker.UnmarshalBinary(b), sessions.UnmarshalBinary(s)); err != nil {
		t.Fatal(err)
	}
	fresh, url := testGateway(t, options)
	publishNumbers(t, fresh, "t", 0, 2)
	c = resume(t, url, "ann", session, 1)
	c.wantEvents(2, 0, 2)
	c.want(0, "RESUMED")
	if err := broker.UnmarshalBinary(b); err == nil {
		t.Error("a broker that is in use took another's state")
	}
	for _, bad := range [][]byte{nil, {9}, []byte("\x01{"), []byte("\x01{}"), []byte(`{"partitions":[{}]}`)} {
		if NewMemoryBroker(MemoryBrokerOptions{}).UnmarshalBinary(bad) == nil {
			t.Errorf("took %q", bad)
		}
	}
}
