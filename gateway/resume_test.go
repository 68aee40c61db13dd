package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// sessionOf reads the session id out of READY.
func sessionOf(t testing.TB, ready message) string {
	t.Helper()
	var d struct {
		ID string `json:"session_id"`
	}
	if err := json.Unmarshal(ready.D, &d); err != nil || d.ID == "" {
		t.Fatalf("READY is %v", ready)
	}
	return d.ID
}

// signIn is login that returns the session's id, too.
func signIn(t testing.TB, url, token string) (*testClient, string) {
	t.Helper()
	c := dial(t, url)
	c.want(10, "")
	c.identify(token)
	return c, sessionOf(t, c.want(0, "READY"))
}

// resume dials and asks to resume.
func resume(t testing.TB, url, token, session string, seq any) *testClient {
	t.Helper()
	c := dial(t, url)
	c.want(10, "")
	c.resume(token, session, seq)
	return c
}

func (c *testClient) resume(token, session string, seq any) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"op":6,"d":{"token":%q,"session_id":%q,"seq":%v}}`, token, session, seq))
}

// wantEvents reads events of type E whose data count up, with sequences from first.
func (c *testClient) wantEvents(first uint64, from, to int) {
	c.t.Helper()
	for n := from; n < to; n++ {
		m := c.want(0, "E")
		if *m.S != first || string(m.D) != fmt.Sprint(n) {
			c.t.Fatalf("want event %d as sequence %d, got %v", n, first, m)
		}
		first++
	}
}

func publishNumbers(t testing.TB, g *Gateway, topic string, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := g.Publish(t.Context(), topic, Event{Type: "E", Data: n}); err != nil {
			t.Fatal(err)
		}
	}
}

// A dropped session goes on where it was, on a connection of another form, from
// every sequence that was sent (S4).
func TestResume(t *testing.T) {
	for _, query := range []string{"", "?encoding=msgpack", "?encoding=msgpack&compress=lz4"} {
		for _, seq := range []any{0, "null", 1, 2, 4, 6, 6.0} {
			t.Run(fmt.Sprintf("%s %v", query, seq), func(t *testing.T) {
				g, url := testGateway(t, subscribeTo("t"))
				c, session := signIn(t, url, "ann")
				publishNumbers(t, g, "t", 0, 5)
				c.wantEvents(2, 0, 5)
				c.ws.CloseNow()
				eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
				publishNumbers(t, g, "t", 5, 8)

				c = resume(t, url+query, "ann", session, seq)
				from := 0
				fmt.Sscan(fmt.Sprint(seq), &from)
				from = max(from, 1)
				c.wantEvents(uint64(from)+1, from-1, 8)
				if m := c.want(0, "RESUMED"); *m.S != 9 || string(m.D) != "{}" {
					t.Errorf("RESUMED is %v", m)
				}
				publishNumbers(t, g, "t", 8, 10)
				c.wantEvents(10, 8, 10)
				if s := g.Stats(); s.Sessions != 1 || s.Detached != 0 || s.SessionsResumed != 1 {
					t.Errorf("%+v", s)
				}
			})
		}
	}
}

// What cannot be honoured in full is Invalid Session, on a connection that
// stays open; only a refused token is closed.
func TestResumeRefused(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	live, session := signIn(t, url, "ann")
	publishNumbers(t, g, "t", 0, 5)
	live.wantEvents(2, 0, 5)
	live.send(`{"op":1,"d":4}`)
	live.want(11, "")

	thief := dial(t, url)
	thief.want(10, "")
	for _, tt := range []struct {
		name, token, session string
		seq                  any
	}{
		{"unknown session", "ann", strings.Repeat("0", 32), 4},
		{"another user's", "eve", session, 4},
		{"from the future", "ann", session, 7},
		{"acknowledged", "ann", session, 3},
		{"zero after an acknowledgement", "ann", session, 0},
		{"no sequence at all", "ann", session, -1},
	} {
		thief.resume(tt.token, tt.session, tt.seq)
		if m := thief.want(9, ""); string(m.D) != "false" {
			t.Errorf("%s: %v", tt.name, m)
		}
	}
	for _, token := range []string{"", "refused"} {
		resume(t, url, token, session, 4).wantClose(CloseAuthFailed)
	}
	publishNumbers(t, g, "t", 5, 6)
	live.wantEvents(7, 5, 6) // undisturbed
	thief.identify("eve")
	thief.want(0, "READY")
	want := map[string]uint64{"unknown": 1, "user": 1, "sequence": 4}
	if got := g.Stats().ResumesRefused; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("refused: %v, want %v", got, want)
	}
}

// A session that resumes while its old connection lives takes it over; the old
// one is told so, in terms that its client knows.
func TestTakeOver(t *testing.T) {
	for query, code := range map[string]Code{"": CloseUnknown, "?ext=1": CloseReplaced} {
		t.Run(query, func(t *testing.T) {
			g, url := testGateway(t, subscribeTo("t"))
			old, session := signIn(t, url+query, "ann")
			publishNumbers(t, g, "t", 0, 3)
			eventually(t, "they have sequences", func() bool { return g.Stats().Delivered == 3 })
			fresh := resume(t, url, "ann", session, 2) // before the old one has read anything
			fresh.wantEvents(3, 1, 3)
			fresh.want(0, "RESUMED")
			old.wantClose(code)
			publishNumbers(t, g, "t", 3, 4)
			fresh.wantEvents(5, 3, 4)
			for range mostContests - 1 {
				fresh = resume(t, url, "ann", session, 5)
				fresh.want(0, "RESUMED")
			}
			fought := resume(t, url, "ann", session, 5)
			fought.want(9, "")
			publishNumbers(t, g, "t", 4, 5)
			fresh.wantEvents(6, 4, 5)
		})
	}
}

// A session ends when its client says goodbye first, and only then.
func TestGoodbye(t *testing.T) {
	ended := make(chan string, 1)
	g, url := testGateway(t, func(o *Options) { o.OnSessionEnd = func(s *Session) { ended <- s.ID() } })
	for _, tt := range []struct {
		name string
		end  func(c *testClient)
		kept bool
	}{
		{"1000", func(c *testClient) { c.ws.Close(websocket.StatusNormalClosure, "") }, false},
		{"1001", func(c *testClient) { c.ws.Close(websocket.StatusGoingAway, "") }, false},
		{"4000", func(c *testClient) { c.ws.Close(4000, "") }, true},
		{"1012", func(c *testClient) { c.ws.Close(1012, "") }, true},
		{"without a word", func(c *testClient) { c.ws.CloseNow() }, true},
		{"an answer to our close", func(c *testClient) {
			c.send(`{"op":77}`)
			for {
				if _, err := c.read(); err != nil {
					break
				}
			}
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, session := signIn(t, url, "ann")
			tt.end(c)
			eventually(t, "it is noticed", func() bool { return g.Stats().Connections == 0 })
			again := resume(t, url, "ann", session, 1)
			if !tt.kept {
				again.want(9, "")
				if id := <-ended; id != session {
					t.Errorf("told of the end of %s", id)
				}
				return
			}
			again.want(0, "RESUMED")
			again.ws.Close(websocket.StatusNormalClosure, "")
			<-ended
		})
	}
}

// A session that nobody comes back for ends with its window, and so does one
// that holds more than it may.
func TestDetachedSessionsEnd(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.ResumeWindow = 500 * time.Millisecond
	})
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is gone", func() bool { return g.Stats().Sessions == 0 })
	resume(t, url, "ann", session, 1).want(9, "")

	g, url = testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.DetachedEvents = 10
	})
	c, session = signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	publishNumbers(t, g, "t", 0, 11)
	eventually(t, "it is gone", func() bool { return g.Stats().Sessions == 0 })
	resume(t, url, "ann", session, 1).want(9, "")
	if n := g.held.Load(); n != 0 {
		t.Errorf("%d bytes are still held", n)
	}

	g, url = testGateway(t, func(o *Options) { o.Limits.ResumeWindow = -1 })
	c, _ = signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is gone at once", func() bool { return g.Stats().Sessions == 0 })
}

// A slow consumer is closed, resumes, and misses nothing; one that is slow
// again without having acknowledged anything is given up.
func TestSlowConsumerResumes(t *testing.T) {
	var slow atomic.Int32
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentEvents = 300
		o.OnSlow = func(s *Session, q Queue) {
			if q.Unsent == 0 || s.User().ID != "ann" {
				t.Errorf("told of %s, %+v", s.User().ID, q)
			}
			slow.Add(1)
		}
	})
	body := strings.Repeat("x", 20_000)
	n := 0
	stall := func() {
		closes := g.Stats().SlowConsumers
		for g.Stats().SlowConsumers == closes {
			if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: fmt.Sprint(n, " ", body)}); err != nil {
				t.Fatal(err)
			}
			n++
		}
	}
	read := func(c *testClient, from int) {
		t.Helper()
		for i := from; i < n; i++ {
			m := c.want(0, "E")
			if *m.S != uint64(i)+2 || !strings.HasPrefix(string(m.D), fmt.Sprintf(`"%d x`, i)) {
				t.Fatalf("event %d is sequence %d", i, *m.S)
			}
		}
	}
	_, session := signIn(t, url, "ann")
	stall()
	c := resume(t, url, "ann", session, 1)
	read(c, 0)
	c.want(0, "RESUMED")
	if slow.Load() < 1 {
		t.Error("nobody was told")
	}
	c.send(fmt.Sprintf(`{"op":1,"d":%d}`, n)) // not all
	for {
		if m, err := c.read(); err != nil || m.Op == 11 { // it may be asked for one, too
			break
		}
	}
	before := n
	stall()
	c = resume(t, url, "ann", session, before+1)
	read(c, before)
	c.want(0, "RESUMED")
	stall()
	resume(t, url, "ann", session, n).want(9, "")
	eventually(t, "it is gone", func() bool { return g.Stats().Sessions == 0 })
}

// A command goes on when its connection is lost, and its reply is remembered
// for who asks again on the next one (S9); on one connection a nonce is the
// client's own affair.
func TestRepliesAreRemembered(t *testing.T) {
	g, url := testGateway(t, nil)
	var runs atomic.Int32
	begun, release := make(chan struct{}, 9), make(chan struct{})
	Handle(g, "COUNT", func(ctx context.Context, s *Session, wait bool) (int32, error) {
		begun <- struct{}{}
		if wait {
			select {
			case <-release:
			case <-ctx.Done():
				return 0, ctx.Err()
			}
		}
		return runs.Add(1), nil
	})
	c, session := signIn(t, url+"?ext=1", "ann")
	ask := func(nonce, data string) { c.send(`{"op":100,"d":{"t":"COUNT","d":` + data + `,"n":` + nonce + `}}`) }
	wantReply := func(want string) {
		t.Helper()
		if m := c.want(101, ""); string(m.D) != want {
			t.Errorf("reply %s, want %s", m.D, want)
		}
	}
	ask(`"a"`, "false")
	wantReply(`{"n":"a","d":1}`)
	ask(`"a"`, "false")
	wantReply(`{"n":"a","d":2}`)
	ask(`"b"`, "true")
	for range 3 {
		<-begun
	}
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	close(release)
	eventually(t, "it has run", func() bool { return runs.Load() == 3 })

	c = resume(t, url+"?ext=1", "ann", session, 1)
	c.want(0, "RESUMED")
	ask(`"b"`, "true")
	wantReply(`{"n":"b","d":3}`)
	ask(`"a"`, "false")
	wantReply(`{"n":"a","d":2}`) // the last with that nonce
	ask("null", "false")
	wantReply(`{"n":null,"d":4}`)
}

// A detached session is its user's like the others.
func TestKickWithoutConnection(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	if err := g.KickUser(t.Context(), "ann", ""); err != nil {
		t.Fatal(err)
	}
	resume(t, url, "ann", session, 1).want(9, "")
	eventually(t, "it is gone", func() bool { return g.Stats().Sessions == 0 && g.Stats().Topics == 0 })
}

// The application says what a session may see when it comes back, or that it
// may not.
func TestResumeHook(t *testing.T) {
	var fail atomic.Pointer[error]
	refuse := func(err error) { fail.Store(&err) }
	refuse(nil)
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("a", "b")(o)
		o.Resume = func(ctx context.Context, s *Session) error {
			if err := *fail.Load(); err != nil {
				return err
			}
			return errors.Join(s.UnsubscribePurge(ctx, "b"), s.Subscribe(ctx, "c"))
		}
	})
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	publishNumbers(t, g, "b", 0, 3)
	publishNumbers(t, g, "a", 0, 2)
	refuse(errors.New("try later"))
	resume(t, url, "ann", session, 1).wantClose(CloseRestart)
	refuse(&CloseError{Code: CloseKicked})
	resume(t, url+"?ext=1", "ann", session, 1).wantClose(CloseKicked)
	refuse(nil)
	c = resume(t, url, "ann", session, 1)
	c.wantEvents(2, 0, 2)
	c.want(0, "RESUMED")
	publishNumbers(t, g, "b", 3, 4)
	publishNumbers(t, g, "c", 7, 8)
	c.wantEvents(4, 7, 8)
}
