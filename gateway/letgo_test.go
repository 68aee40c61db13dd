package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// A client that says goodbye while the drain waits for its command is not
// waited for any more.
func TestGoodbyeWhileDraining(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	running := make(chan struct{})
	Handle(g, "WAIT", func(ctx context.Context, _ *Session, _ any) (any, error) {
		close(running)
		<-ctx.Done()
		return nil, ctx.Err()
	})
	c, _ := signIn(t, url+"?ext=1", "ann")
	c.send(`{"op":100,"d":{"t":"WAIT","n":1}}`)
	<-running
	done := make(chan error)
	go func() { done <- g.Shutdown(context.Background()) }()
	eventually(t, "the drain waits for the command", func() bool {
		s := g.find(sessionOfUser(g, "ann"))
		return s != nil && g.commands.Waiting(&s.commands) == 1
	})
	c.ws.Close(websocket.StatusNormalClosure, "")
	select {
	case err := <-done:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Shutdown waits for ever")
	}
}

func sessionOfUser(g *Gateway, user string) (id string) {
	for s := range g.sessionsOf(user) {
		id = s.ID()
	}
	return id
}

// A command that was taken before the drain may still change what its session
// is subscribed to, and the next gateway goes by that.
func TestCommandsFinishBeforeTheSessionLeaves(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	running, release := make(chan struct{}), make(chan struct{})
	Handle(old, "JOIN", func(ctx context.Context, s *Session, topic string) (any, error) {
		close(running)
		<-release
		return nil, errors.Join(s.Subscribe(ctx, topic), s.Unsubscribe(ctx, "u"))
	})
	c, session := signIn(t, url+"?ext=1", "ann")
	c.send(`{"op":100,"d":{"t":"JOIN","d":"new","n":1}}`)
	<-running
	done := make(chan error)
	go func() { done <- shutdown(t, old, 10*time.Second) }()
	eventually(t, "the drain waits for the command", func() bool { return old.commands.Waiting(&old.find(session).commands) == 1 })
	close(release)
	if m := c.want(101, ""); string(m.D) != `{"n":1,"d":null}` {
		t.Errorf("reply %s", m.D)
	}
	c.wantClose(CloseRestart)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	fresh, url := testGateway(t, options)
	publishNumbers(t, fresh, "u", 0, 1)
	publishNumbers(t, fresh, "new", 1, 2)
	resume(t, url, "ann", session, 1).wantEvents(2, 1, 2)
}

// A session that ends while it is saved is not to be had from the store.
func TestSessionEndsWhileItIsSaved(t *testing.T) {
	for name, end := range map[string]func(g *Gateway, c *testClient){
		"kicked":   func(g *Gateway, _ *testClient) { g.KickUser(context.Background(), "ann", "") },
		"its will": func(_ *Gateway, c *testClient) { c.ws.Close(websocket.StatusNormalClosure, "") },
	} {
		t.Run(name, func(t *testing.T) {
			store := hangingSessions{NewMemorySessions(), make(chan struct{})}
			ended := make(chan struct{})
			options := shared(t, func(o *Options) {
				o.Sessions = store
				o.OnSessionEnd = func(*Session) { close(ended) }
			})
			g, url := testGateway(t, options)
			c, session := signIn(t, url, "ann")
			s := g.find(session)
			done := make(chan error)
			go func() { done <- shutdown(t, g, 10*time.Second) }()
			eventually(t, "it is being saved", func() bool { return s.isGone() })
			end(g, c)
			if name == "its will" {
				<-ended
			}
			close(store.hang)
			c.closeCode()
			if err := <-done; err != nil {
				t.Error(err)
			}
			<-ended
			if n := store.Len(); n != 0 {
				t.Errorf("%d sessions are in the store", n)
			}
			if st := g.Stats(); st.SessionsSaved != 0 || st.SessionsEnded != 1 {
				t.Errorf("%d saved, %d ended", st.SessionsSaved, st.SessionsEnded)
			}
		})
	}
}

// A kick between a freeze and the snapshot leaves nothing to save.
func TestKickWhileFreezing(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	c, session := signIn(t, url, "ann")
	s := g.find(session)
	s.mu.Lock()
	f := make(chan error)
	go func() {
		_, err := s.freeze()
		f <- err
	}()
	live := s.doom(&CloseError{Code: CloseKicked})
	s.mu.Unlock()
	live.flushNow()
	if err := <-f; !errors.Is(err, ErrClosed) {
		t.Errorf("freeze: %v", err)
	}
	if g.save(t.Context(), t.Context(), s) == nil {
		t.Error("it was saved")
	}
	c.wantClose(CloseAuthFailed)
}

// countingSessions fails to save, a few times, and says so when a command runs
// meanwhile.
type countingSessions struct {
	*MemorySessions
	failures atomic.Int32
	running  atomic.Bool
	overlaps atomic.Int32
}

func (s *countingSessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	if records[0].Node != "" {
		return s.MemorySessions.Save(ctx, node, records...) // a copy: it goes on here
	}
	if s.running.Load() {
		s.overlaps.Add(1)
	}
	if s.failures.Add(-1) >= 0 {
		return errors.New("not now")
	}
	return s.MemorySessions.Save(ctx, node, records...)
}

// Between two attempts to save it a session goes on; no command runs while the
// second is made: its reply would be lost, and the command run twice.
func TestNoCommandRunsWhileSaving(t *testing.T) {
	store := &countingSessions{MemorySessions: NewMemorySessions()}
	store.failures.Store(6)
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions, o.Limits.Payloads = store, -1 }))
	var ran atomic.Int32
	Handle(g, "SLOW", func(context.Context, *Session, any) (any, error) {
		ran.Add(1)
		store.running.Store(true)
		defer store.running.Store(false)
		<-time.After(100 * time.Millisecond)
		return nil, nil
	})
	c, _ := signIn(t, url+"?ext=1", "ann")
	done := make(chan error)
	go func() { done <- shutdown(t, g, 20*time.Second) }()
	eventually(t, "one attempt has failed", func() bool { return store.failures.Load() < 6 })
	for {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		err := c.ws.Write(ctx, websocket.MessageText, []byte(`{"op":100,"d":{"t":"SLOW","n":1}}`))
		cancel()
		if err != nil {
			break
		}
		if _, err := c.read(); err != nil {
			break
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	if ran.Load() == 0 {
		t.Error("no command ran between the attempts")
	}
	if n := store.overlaps.Load(); n != 0 {
		t.Errorf("%d times a session was saved while a command ran", n)
	}
}

// A session that could not be saved and cannot go on either is lost: its client
// is told at once.
func TestNotSavedAndNotThawed(t *testing.T) {
	broker, store := NewMemoryBroker(MemoryBrokerOptions{History: -1}), &brokenSessions{MemorySessions: NewMemorySessions()}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Broker, o.Sessions = broker, store }))
	c, _ := signIn(t, url, "ann")
	began := time.Now()
	done := make(chan error)
	go func() { done <- shutdown(t, g, 20*time.Second) }()
	c.want(9, "")
	c.want(7, "")
	c.wantClose(CloseRestart)
	if err := <-done; err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("it took %v", took)
	}
}

// Reconnect is not sent before RESUMED was: discordgo deadlocks.
func TestNoReconnectBeforeResumed(t *testing.T) {
	g, url := testGateway(t, shared(t, func(o *Options) { o.Limits.DetachedBytes, o.Limits.KeptBytes = -1, -1 }))
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	body := strings.Repeat("x", 100_000)
	for range 20 { // far more than a connection takes that few bytes are read of
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
	}
	raw := dialRaw(t, url)
	if err := raw.nc.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	raw.write(text(fmt.Sprintf(`{"op":6,"d":{"token":"ann","session_id":%q,"seq":1}}`, session)))
	eventually(t, "it does not take more", func() bool { return g.writers.count() == 1 })
	done := make(chan error)
	go func() { done <- shutdown(t, g, 20*time.Second) }()
	eventually(t, "it is saved", func() bool { return g.Stats().SessionsSaved == 1 })
	resumed := false
	for {
		first, payload, err := raw.read()
		if err != nil || first == frameClose {
			break
		}
		resumed = resumed || strings.Contains(string(payload), "RESUMED")
		if strings.HasPrefix(string(payload), `{"s":null,"op":7`) && !resumed {
			t.Error("Reconnect came before RESUMED")
		}
	}
	raw.nc.Close()
	<-done
}

// slowBroker reads its history when it is told to.
type slowBroker struct {
	*MemoryBroker
	reading chan struct{} // closed when it is about to
	goOn    chan struct{}
}

func (b *slowBroker) Since(ctx context.Context, from Position) ([]Record, error) {
	close(b.reading)
	<-b.goOn
	return b.MemoryBroker.Since(ctx, from)
}

// What is purged while a session catches up is not given a sequence any more,
// wherever it was on its way (S8).
func TestPurgeWhileCatchingUp(t *testing.T) {
	for _, frozen := range []bool{true, false} {
		t.Run(fmt.Sprint("frozen ", frozen), func(t *testing.T) { purgeWhileCatchingUp(t, frozen) })
	}
}

func purgeWhileCatchingUp(t *testing.T, frozen bool) {
	broker := &slowBroker{NewMemoryBroker(MemoryBrokerOptions{}), make(chan struct{}), make(chan struct{})}
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("secret")(o)
		o.Broker = broker
	})
	c, session := signIn(t, url, "ann")
	s := g.find(session)
	topics, err := s.freeze()
	if err != nil {
		t.Fatal(err)
	}
	publishNumbers(t, g, "secret", 0, 2) // into the history
	if frozen {
		g.UnsubscribeUser(t.Context(), "ann", "secret")
	}
	thawed := make(chan error)
	go func() { thawed <- s.thaw(t.Context(), topics) }()
	<-broker.reading
	publishNumbers(t, g, "secret", 2, 4) // into the stash
	if !frozen {
		g.UnsubscribeUser(t.Context(), "ann", "secret")
	}
	close(broker.goOn)
	if err := <-thawed; err != nil {
		t.Fatal(err)
	}
	if err := s.Send(t.Context(), Event{Type: "LAST"}); err != nil {
		t.Fatal(err)
	}
	c.want(0, "LAST")
}

// stuckBroker does not give its history back.
type stuckBroker struct{ *MemoryBroker }

func (stuckBroker) Since(ctx context.Context, _ Position) ([]Record, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

// Neither the store nor the broker answer: the client is told all the same, in
// time.
func TestToldWhenNothingAnswers(t *testing.T) {
	store := &brokenSessions{MemorySessions: NewMemorySessions()}
	g, url := testGateway(t, shared(t, func(o *Options) {
		o.Broker, o.Sessions = stuckBroker{NewMemoryBroker(MemoryBrokerOptions{})}, store
	}))
	c, _ := signIn(t, url, "ann")
	done := make(chan error)
	go func() { done <- shutdown(t, g, 2*time.Second) }()
	c.want(9, "")
	c.want(7, "")
	c.wantClose(CloseRestart)
	<-done
}
