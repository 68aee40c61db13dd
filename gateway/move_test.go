package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gatehouse-go/gatehouse/shard"
)

// traveller is a client that goes where it is sent, and wants every event once, in order.
type traveller struct {
	user, session string
	url           string // where it is
	sent          int    // how often it was sent elsewhere
	seen          uint64
	next          int // the number of the event that it waits for
	c             *testClient
}

func newTraveller(t testing.TB, url, user string) *traveller {
	t.Helper()
	c, session := signIn(t, url+"?ext=1&user="+user, user)
	return &traveller{user: user, session: session, url: url, seen: 1, c: c}
}

// until reads up to the event of that number.
func (v *traveller) until(last int) error {
	hint := ""
	for v.next <= last {
		m, err := v.c.read()
		if err != nil {
			if code := websocket.CloseStatus(err); Code(code) != CloseRestart {
				return fmt.Errorf("%s at event %d, sent to %q: %w", v.user, v.next, hint, err)
			}
			v.c.ws.CloseNow()
			if hint == "" { // it came back before it was let go of
				<-time.After(10 * time.Millisecond)
			} else {
				v.url, hint = hint, ""
			}
			v.c = dial(v.c.t, v.url+"?ext=1&user="+v.user)
			v.c.want(10, "")
			v.c.resume(v.user, v.session, v.seen)
			continue
		}
		switch {
		case m.Op == 9:
			return fmt.Errorf("%s lost its session at event %d", v.user, v.next)
		case m.Op == 7:
			var d struct {
				URL string `json:"url"`
			}
			if err := json.Unmarshal(m.D, &d); err != nil {
				return err
			}
			hint = d.URL
			v.sent++
		case m.Op == 1:
			v.c.send(fmt.Sprintf(`{"op":1,"d":%d}`, v.seen))
		case m.Op == 0 && *m.T != "RESUMED":
			if v.seen++; *m.S != v.seen {
				return fmt.Errorf("%s: %v, want s=%d", v.user, m, v.seen)
			}
			if string(m.D) != fmt.Sprint(v.next) {
				return fmt.Errorf("%s: %v, want event %d", v.user, m, v.next)
			}
			v.next++
		}
	}
	return nil
}

func users(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprint("user-", i)
	}
	return names
}

// When a node is added, the sessions that the plan says go to it, once each, and
// no others; nobody loses or repeats an event meanwhile. The same when it is
// taken away again.
func TestMoveByPlan(t *testing.T) {
	options := shared(t, func(o *Options) { o.Limits.DrainRate = 500 })
	nodes, urls := map[string]*Gateway{}, map[string]string{}
	for _, id := range []string{"a", "b", "c"} {
		nodes[id], urls[id] = testGateway(t, options)
	}
	small, err := shard.NewRing(shard.Node{ID: "a"}, shard.Node{ID: "b"})
	if err != nil {
		t.Fatal(err)
	}
	large, err := small.With(shard.Node{ID: "c"})
	if err != nil {
		t.Fatal(err)
	}
	var travellers []*traveller
	for _, user := range users(60) {
		travellers = append(travellers, newTraveller(t, urls[small.Owner(user)], user))
	}
	const half = 300
	var reading sync.WaitGroup
	halfway := make(chan struct{})
	var arrived sync.WaitGroup
	arrived.Add(len(travellers))
	for _, v := range travellers {
		reading.Go(func() {
			err := v.until(half - 1)
			arrived.Done()
			<-halfway
			if err == nil {
				if _, to := shard.NewPlan(small, large).Owner(v.user); v.url != urls[to] {
					t.Errorf("%s is at %s, and belongs to %s", v.user, v.url, to)
				}
				err = v.until(2*half - 1)
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	move := func(plan *shard.Plan, from, to int) {
		publishing := make(chan struct{})
		go func() {
			defer close(publishing)
			for n := from; n < to-1; n++ {
				if err := nodes["a"].Publish(t.Context(), "t", Event{Type: "E", Data: n}); err != nil {
					t.Error(err)
				}
				<-time.After(time.Millisecond)
			}
		}()
		want := 0
		for _, v := range travellers {
			if from, to := plan.Owner(v.user); from != to {
				want++
			}
		}
		var all sync.WaitGroup
		var got atomic.Int64
		for id, g := range nodes {
			all.Go(func() {
				moved, err := g.Move(t.Context(), func(s *Session) (string, bool) {
					_, to := plan.Owner(s.User().ID)
					return urls[to], to != id
				})
				if err != nil {
					t.Error(err)
				}
				got.Add(int64(moved))
			})
		}
		all.Wait()
		if int(got.Load()) != want || want < 5 {
			t.Errorf("%d sessions moved, the plan has %d", got.Load(), want)
		}
		<-publishing
		publishNumbers(t, nodes["a"], "t", to-1, to) // who is to move gets this one where it belongs
	}
	move(shard.NewPlan(small, large), 0, half)
	arrived.Wait()
	close(halfway)
	move(shard.NewPlan(large, small), half, 2*half)
	reading.Wait()
	for _, v := range travellers {
		times := 0
		if small.Owner(v.user) != large.Owner(v.user) {
			times = 2 // there and back
		}
		if v.sent != times || v.url != urls[small.Owner(v.user)] {
			t.Errorf("%s was sent elsewhere %d times, want %d; it is at %s", v.user, v.sent, times, v.url)
		}
	}
}

// A move that is called off has moved some, whole, and left the others as they were.
func TestMoveCalledOff(t *testing.T) {
	options := shared(t, func(o *Options) { o.Limits.DrainRate = 50 })
	old, url := testGateway(t, options)
	fresh, next := testGateway(t, options)
	var travellers []*traveller
	for _, user := range users(40) {
		travellers = append(travellers, newTraveller(t, url, user))
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var reading sync.WaitGroup
	for _, v := range travellers {
		reading.Go(func() {
			if err := v.until(99); err != nil {
				t.Error(err)
			}
		})
	}
	publishNumbers(t, old, "t", 0, 50)
	go func() {
		for old.Stats().SessionsSaved < 5 {
			<-time.After(time.Millisecond)
		}
		cancel()
	}()
	moved, err := old.Move(ctx, func(*Session) (string, bool) { return next, true })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if moved < 5 || moved >= 40 {
		t.Errorf("%d moved", moved)
	}
	publishNumbers(t, old, "t", 50, 100)
	reading.Wait()
	there := 0
	for _, v := range travellers {
		if v.sent > 1 || (v.url == next) != (v.sent == 1) {
			t.Errorf("%s was sent elsewhere %d times and is at %s", v.user, v.sent, v.url)
		}
		there += v.sent
	}
	if there != moved || fresh.Stats().Sessions != moved || old.Stats().Sessions != 40-moved {
		t.Errorf("%d moved, %d were sent, %d are there, %d here", moved, there, fresh.Stats().Sessions, old.Stats().Sessions)
	}
	// And the others can be moved afterwards.
	for _, v := range travellers {
		reading.Go(func() {
			if err := v.until(100); err != nil {
				t.Error(err)
			}
		})
	}
	rest, err := old.Move(t.Context(), func(*Session) (string, bool) { return next, true })
	if err != nil || rest != 40-moved {
		t.Errorf("%d of %d moved: %v", rest, 40-moved, err)
	}
	publishNumbers(t, fresh, "t", 100, 101)
	reading.Wait()
}

// A session whose command takes long when its move is called off goes on.
func TestMoveWaitsForCommands(t *testing.T) {
	g, url := testGateway(t, shared(t, nil))
	running, release := make(chan struct{}, 1), make(chan struct{})
	Handle(g, "WAIT", func(context.Context, *Session, any) (any, error) {
		running <- struct{}{}
		<-release
		return nil, nil
	})
	c, session := signIn(t, url+"?ext=1", "ann")
	c.send(`{"op":100,"d":{"t":"WAIT","n":1}}`)
	<-running
	ctx, cancel := context.WithCancel(t.Context())
	type result struct {
		moved int
		err   error
	}
	done := make(chan result)
	go func() {
		moved, err := g.Move(ctx, func(*Session) (string, bool) { return "", true })
		done <- result{moved, err}
	}()
	eventually(t, "it waits for the command", func() bool { return g.commands.Waiting(&g.find(session).commands) == 1 })
	cancel()
	if r := <-done; r.moved != 0 || !errors.Is(r.err, context.Canceled) {
		t.Errorf("%+v", r)
	}
	close(release)
	c.want(101, "")
	c.send(`{"op":100,"d":{"t":"WAIT","n":2}}`) // it is not leaving
	if m := c.want(101, ""); string(m.D) != `{"n":2,"d":null}` {
		t.Errorf("reply %s", m.D)
	}
	if moved, err := g.Move(t.Context(), func(*Session) (string, bool) { return "", true }); moved != 1 || err != nil {
		t.Errorf("%d moved: %v", moved, err)
	}
	if m := c.want(7, ""); !strings.Contains(string(m.D), url) {
		t.Errorf("hint %s, want the URL that it came by", m.D)
	}
	c.wantClose(CloseRestart)
}

// A session that the store does not take stays, with what came meanwhile, and
// others are not held up.
func TestMoveNotSaved(t *testing.T) {
	store := &brokenSessions{MemorySessions: NewMemorySessions()}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	v := newTraveller(t, url, "ann")
	publishNumbers(t, g, "t", 0, 3)
	all := func(*Session) (string, bool) { return url, true }
	reading := make(chan error)
	go func() { reading <- v.until(9) }()
	if moved, err := g.Move(t.Context(), all); moved != 0 || err == nil || !strings.Contains(err.Error(), "no room") {
		t.Errorf("%d moved: %v", moved, err)
	}
	publishNumbers(t, g, "t", 3, 10)
	if err := <-reading; err != nil || v.sent != 0 {
		t.Errorf("sent elsewhere %d times: %v", v.sent, err)
	}
	store.mended.Store(true)
	go func() { reading <- v.until(10) }()
	if moved, err := g.Move(t.Context(), all); moved != 1 || err != nil {
		t.Errorf("%d moved: %v", moved, err)
	}
	publishNumbers(t, g, "t", 10, 11)
	if err := <-reading; err != nil || v.sent != 1 {
		t.Errorf("sent elsewhere %d times: %v", v.sent, err)
	}
}

// Sessions without a connection move, too.
func TestMoveDetached(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	fresh, next := testGateway(t, options)
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return old.Stats().Detached == 1 })
	if moved, err := old.Move(t.Context(), func(*Session) (string, bool) { return next, true }); moved != 1 || err != nil {
		t.Errorf("%d moved: %v", moved, err)
	}
	publishNumbers(t, fresh, "t", 0, 2)
	c = resume(t, next, "ann", session, 1)
	c.wantEvents(2, 0, 2)
	c.want(0, "RESUMED")
}

// A session that ends while it is moved is not to be had from the store.
func TestMoveOfWhoLeaves(t *testing.T) {
	store := hangingSessions{NewMemorySessions(), make(chan struct{})}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	c, session := signIn(t, url, "ann")
	s := g.find(session)
	done := make(chan error)
	go func() {
		_, err := g.Move(t.Context(), func(*Session) (string, bool) { return "", true })
		done <- err
	}()
	eventually(t, "it is being saved", s.isGone)
	g.KickUser(t.Context(), "ann", "")
	close(store.hang)
	c.closeCode()
	if err := <-done; err != nil {
		t.Error(err)
	}
	eventually(t, "it has ended", func() bool { return g.Stats().SessionsEnded == 1 })
	if n := store.Len(); n != 0 {
		t.Errorf("%d sessions are in the store", n)
	}
}

// What is being saved when a move is called off is moved.
func TestMoveCalledOffWhileSaving(t *testing.T) {
	store := hangingSessions{NewMemorySessions(), make(chan struct{})}
	g, url := testGateway(t, shared(t, func(o *Options) { o.Sessions = store }))
	c, session := signIn(t, url+"?ext=1", "ann")
	s := g.find(session)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan int)
	go func() {
		moved, err := g.Move(ctx, func(*Session) (string, bool) { return "", true })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		done <- moved
	}()
	eventually(t, "it is being saved", s.isGone)
	cancel()
	close(store.hang)
	c.want(7, "")
	c.wantClose(CloseRestart)
	if moved := <-done; moved != 1 || store.Len() != 1 {
		t.Errorf("%d moved, %d are in the store", moved, store.Len())
	}
}

// A drain that begins while sessions are moved sends everybody away once.
func TestMoveWhileDraining(t *testing.T) {
	options := shared(t, func(o *Options) { o.Limits.DrainRate = 100 })
	old, url := testGateway(t, options)
	fresh, next := testGateway(t, options)
	var travellers []*traveller
	for _, user := range users(40) {
		travellers = append(travellers, newTraveller(t, url, user))
	}
	var reading sync.WaitGroup
	for _, v := range travellers {
		reading.Go(func() {
			for {
				m, err := v.c.read()
				if err != nil {
					return
				}
				if m.Op == 7 {
					v.sent++
				}
			}
		})
	}
	done := make(chan error)
	go func() {
		_, err := old.Move(t.Context(), func(*Session) (string, bool) { return next, true })
		done <- err
	}()
	eventually(t, "some are moved", func() bool { return old.Stats().SessionsSaved > 3 })
	if err := shutdown(t, old, 10*time.Second); err != nil {
		t.Error(err)
	}
	if err := <-done; !errors.Is(err, ErrClosed) {
		t.Errorf("Move: %v", err)
	}
	reading.Wait()
	for _, v := range travellers {
		if v.sent != 1 {
			t.Errorf("%s was sent elsewhere %d times", v.user, v.sent)
		}
		resume(t, next, v.user, v.session, 1).want(0, "RESUMED")
	}
	if n := fresh.Stats().Sessions; n != 40 {
		t.Errorf("%d sessions", n)
	}
}

func TestMoveRefuses(t *testing.T) {
	never := func(*Session) (string, bool) { panic("nobody is to be asked") }
	g, _ := testGateway(t, nil)
	if moved, err := g.Move(t.Context(), never); moved != 0 || !errors.Is(err, errMoveUnsaved) {
		t.Errorf("without a store: %d, %v", moved, err)
	}
	g, _ = testGateway(t, shared(t, nil))
	if moved, err := g.Move(t.Context(), never); moved != 0 || err != nil {
		t.Errorf("nobody is there: %d, %v", moved, err)
	}
	if err := shutdown(t, g, time.Second); err != nil {
		t.Fatal(err)
	}
	if _, err := g.Move(t.Context(), never); !errors.Is(err, ErrClosed) {
		t.Errorf("after Shutdown: %v", err)
	}
}

// Where a session is to come back to is in READY and in op 7, unless Move or the application knows better.
func TestResumeURL(t *testing.T) {
	at := func(s *Session) string {
		if s.User().ID == "bob" {
			return ""
		}
		return "wss://example.org/u/" + s.User().ID
	}
	g, url := testGateway(t, shared(t, func(o *Options) { o.ResumeURL = at }))
	for _, tt := range []struct{ user, to, ready, hint string }{
		{"ann", "", "wss://example.org/u/ann", "wss://example.org/u/ann"},
		{"bob", "", url, url},
		{"cid", "wss://b.example.org", "wss://example.org/u/cid", "wss://b.example.org"},
	} {
		c := dial(t, url+"?ext=1")
		c.want(10, "")
		c.identify(tt.user)
		var ready struct {
			URL string `json:"resume_gateway_url"`
		}
		if err := json.Unmarshal(c.want(0, "READY").D, &ready); err != nil || ready.URL != tt.ready {
			t.Errorf("%s is told %q, want %q, %v", tt.user, ready.URL, tt.ready, err)
		}
		if n, err := g.Move(t.Context(), func(s *Session) (string, bool) { return tt.to, true }); n != 1 || err != nil {
			t.Fatalf("%d moved: %v", n, err)
		}
		for {
			m, err := c.read()
			if err != nil {
				t.Fatal(err)
			}
			if m.Op == 7 {
				var hint struct{ URL string }
				if err := json.Unmarshal(m.D, &hint); err != nil || hint.URL != tt.hint {
					t.Errorf("%s is sent to %q, want %q, %v", tt.user, hint.URL, tt.hint, err)
				}
				break
			}
			if m.Op == 1 {
				c.send(`{"op":1,"d":1}`)
			}
		}
	}
}
