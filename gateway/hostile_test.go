package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// A number that one encoding has and another has not, in something that is
// passed on, harms nobody: it is refused where it comes in, or is published.
func TestNumbersThatDoNotTranscode(t *testing.T) {
	var g *Gateway
	g, url := testGateway(t, func(o *Options) {
		o.Presence.Window = time.Millisecond
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			g.Presence().Join("t", s.User().ID)
			return nil, s.Subscribe(ctx, "t")
		}
	})
	watcher := login(t, url+"?encoding=msgpack", "watcher")
	mallory := login(t, url, "mallory")
	mallory.send(`{"op":3,"d":{"status":"online","activities":[{"x":1e999}]}}`)
	mallory.wantClose(CloseDecode)
	for _, data := range []string{"1e999", `"` + "\xff" + `"`} {
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: json.RawMessage(data)}); err == nil {
			t.Errorf("%q is published", data)
		}
	}
	g.deliver(Record{Topic: "t", Type: "BROKEN", Data: []byte("1e999")}) // as a broken broker would
	for {
		if m := watcher.want(0, ""); *m.T == "BROKEN" {
			if string(m.D) != "null" {
				t.Errorf("got %v", m)
			}
			return
		}
	}
}

// A panic in what the application makes of a presence is a line in the log.
func TestPanicInPresenceData(t *testing.T) {
	var g *Gateway
	panicked := make(chan struct{}, 10)
	g, url := testGateway(t, func(o *Options) {
		o.Presence.Window = time.Millisecond
		o.PresenceData = func(_ string, p presence.Presence) any {
			if p.User == "ann" {
				panicked <- struct{}{}
				panic("boom")
			}
			return PresenceData("", p)
		}
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			g.Presence().Join("t", s.User().ID)
			return nil, s.Subscribe(ctx, "t")
		}
	})
	login(t, url, "ann")
	<-panicked
	login(t, url, "bob").want(0, "PRESENCE_UPDATE")
}

// Nobody is online whose sign-in failed behind the moment when it was told.
func TestFailedSignInIsNotOnline(t *testing.T) {
	ready, release := make(chan struct{}), make(chan struct{})
	g, url := testGateway(t, func(o *Options) {
		o.Presence.Grace = -1
		o.Ready = func(context.Context, *Session) (any, error) {
			close(ready)
			<-release
			return nil, nil
		}
	})
	c := dialRaw(t, url)
	c.write(text(`{"op":2,"d":{"token":"ann"}}`))
	<-ready
	c.write(text(`{"op":2,"d":{"token":"ann"}}`)) // 4005, while the first is on its way
	if code := c.closeCode(); code != CloseAlreadyAuthenticated {
		t.Errorf("closed with %d", code)
	}
	close(release)
	c.nc.Close()
	eventually(t, "it is over", func() bool { return g.Stats().Connections == 0 })
	eventually(t, "ann is offline", func() bool { return g.Presence().Get("ann").Status == presence.Offline })
}

// A hook that blocks holds up its own session, and nobody's sign-in.
func TestOnSessionBlocksNobodyElse(t *testing.T) {
	release := make(chan struct{})
	_, url := testGateway(t, func(o *Options) {
		o.Limits.Identifies = 1
		o.OnSession = func(s *Session) {
			if s.User().ID == "ann" {
				<-release
			}
		}
	})
	login(t, url, "ann")
	login(t, url, "bob")
	close(release)
}

// A client that has closed its half and reads no more is gone, with all that
// was being written to it.
func TestHalfClosedClientIsGone(t *testing.T) {
	got := make(chan *Session, 1)
	g, url := testGateway(t, func(o *Options) { o.OnSession = func(s *Session) { got <- s } })
	c := loginRaw(t, url, "ann")
	s := <-got
	writing := func() bool {
		g.writers.mu.Lock()
		defer g.writers.mu.Unlock()
		return g.writers.n > 0
	}
	eventually(t, "the socket is full", func() bool {
		s.Send(t.Context(), Event{Type: "E", Data: strings.Repeat("x", 90<<10)})
		return writing()
	})
	c.nc.(*net.TCPConn).CloseWrite()
	eventually(t, "it is gone", func() bool { return g.Stats().Connections == 0 && !writing() })
}

// Publishers that wait for a full lane are told when the gateway ends.
func TestPublishersDoNotOutliveTheGateway(t *testing.T) {
	l, session := testLane()
	l.workers.stopped = make(chan struct{})
	session("t")
	publishTo(l, "t", laneQueue)
	waiting := make(chan error)
	go func() { waiting <- l.await(context.Background()) }()
	close(l.workers.stopped)
	if err := <-waiting; !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// What Ready queues may be more than a client may have unsent later on.
func TestLargeStart(t *testing.T) {
	b := &bounds{unsentEvents: 10, detachedEvents: 1000}
	r := newRing()
	for range 100 {
		r.append(keep("t"), b)
	}
	r.attach()
	for i := range 10 {
		if got := r.append(keep("t"), b); got != queued {
			t.Fatalf("event %d after the start: %v", i, got)
		}
	}
	if n := len(takeAll(&r)); n != 110 {
		t.Fatalf("%d events are sent", n)
	}
	for range 10 {
		r.append(keep("t"), b)
	}
	if got := r.append(keep("t"), b); got != overflowed {
		t.Errorf("the eleventh unsent event: %v", got)
	}
}

func TestServersThatCannotUpgrade(t *testing.T) {
	g, _ := testGateway(t, nil)
	srv := newServer(t, http.TimeoutHandler(g, 5*time.Second, ""))
	req, _ := http.NewRequestWithContext(t.Context(), "GET", srv, nil)
	for k, v := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="} {
		req.Header.Set(k, v)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil || res.StatusCode != http.StatusNotImplemented {
		t.Errorf("%v, %v", res, err)
	}
	if n := g.Stats().Connections; n != 0 {
		t.Errorf("%d connections", n)
	}
	if hijackable(httptest.NewRecorder()) {
		t.Error("a recorder gives its connection away")
	}
}

func TestIdentifyTimeoutOff(t *testing.T) {
	_, url := testGateway(t, func(o *Options) {
		o.Limits.IdentifyTimeout, o.Limits.HeartbeatInterval = -1, time.Second
	})
	c := dial(t, url)
	c.want(10, "")
	c.send(`{"op":6,"d":{"token":"ann","session_id":"0123","seq":0}}`)
	c.want(9, "")
	c.wantClose(CloseUnknown) // the heartbeats that do not come, not the timeout
}

func TestCodesThatMayNotBeSent(t *testing.T) {
	for code, want := range map[Code]Code{0: 4000, 999: 4000, 1005: 4000, 1006: 4000, 1015: 4000, 5000: 4000, 1012: 1012, 3000: 3000, 4999: 4999} {
		frame := appendCloseFrame(nil, code, "a\xffb")
		if got := Code(frame[2])<<8 | Code(frame[3]); got != want || string(frame[4:]) != "a\ufffdb" {
			t.Errorf("code %d goes out as %d with %q", code, got, frame[4:])
		}
	}
}

// A message of frames that have nothing in them does not go on for ever; one of
// frames with a byte each is a message like any other.
func TestEndlessMessage(t *testing.T) {
	_, url := testGateway(t, nil)
	raw := dialRaw(t, url)
	raw.write(frame(wsText, nil))
	empty := bytes.Repeat(frame(wsContinuation, nil), 10_000)
	raw.write(empty)
	if code := raw.closeCode(); code != CloseDecode {
		t.Errorf("closed with %d", code)
	}
	raw = dialRaw(t, url)
	message := `{"op":2,"d":{"token":"` + strings.Repeat("a", 4000) + `"}}`
	raw.write(frame(wsText, nil))
	for i := range message {
		raw.write(frame(wsContinuation, []byte(message[i:i+1])))
	}
	raw.write(frame(0x80|wsContinuation, nil))
	raw.until("READY")
}
