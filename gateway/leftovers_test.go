package gateway

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A session that has ended leaves nothing behind: no subscription, no place on
// a shard, no timer's reference.
func TestNothingIsLeft(t *testing.T) {
	g, url := testGateway(t, subscribeTo("a", "b", "c"))
	for _, token := range []string{"ann", "bob", "bob"} {
		c := login(t, url, token)
		defer c.ws.CloseNow()
	}
	if n := g.shards.Total(); n != 3 {
		t.Errorf("%d sessions are placed", n)
	}
	if n := g.topics.deliver(keep("a")); n < 1 || n > 3 {
		t.Errorf("an event for three sessions was handed to %d lanes", n)
	}
	if n := g.topics.deliver(keep("nobody's")); n != 0 {
		t.Errorf("an event for nobody was handed to %d lanes", n)
	}
	var watches []*watched
	for _, c := range g.byConn.All() {
		watches = append(watches, c.watched)
	}
	g.KickUser(t.Context(), "ann", "")
	g.KickUser(t.Context(), "bob", "")
	for _, c := range g.byConn.All() {
		c.abort()
	}
	eventually(t, "everything is gone", func() bool {
		for _, l := range g.lanes {
			l.mu.Lock()
			topics := len(l.topics)
			l.mu.Unlock()
			if topics > 0 {
				return false
			}
		}
		s := g.Stats()
		return s.Connections == 0 && s.Sessions == 0 && s.Topics == 0 && g.shards.Total() == 0
	})
	for _, w := range watches {
		if w.conn.Load() != nil {
			t.Error("the wheel refers to a connection that has ended")
		}
	}
}

// Commands that wait when their session ends do not run.
func TestWaitingCommandsEndWithTheSession(t *testing.T) {
	g, url := testGateway(t, nil)
	begun, release := make(chan struct{}, 5), make(chan struct{})
	Handle(g, "WAIT", func(context.Context, *Session, any) (any, error) {
		begun <- struct{}{}
		<-release
		return nil, nil
	})
	c := login(t, url+"?ext=1", "ann")
	for range 5 {
		c.send(`{"op":100,"d":{"t":"WAIT"}}`)
	}
	<-begun
	c.ws.Close(websocket.StatusNormalClosure, "")
	eventually(t, "the session has ended", func() bool { return g.Stats().Sessions == 0 })
	close(release)
	if err := g.commands.Wait(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(begun) != 0 {
		t.Errorf("%d more commands ran", len(begun))
	}
}

// The first reason to close is the one that is told, once, and nothing follows.
func TestFirstCloseStays(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	raw := loginRaw(t, url, "ann")
	for _, c := range g.byConn.All() {
		c.close(CloseUnknownOpcode, "first")
		c.close(CloseDecode, "second")
		c.send([]byte("frames"))
		c.flushNow()
	}
	g.Publish(t.Context(), "t", Event{Type: "E"})
	if code := raw.closeCode(); code != CloseUnknownOpcode {
		t.Errorf("closed with %d", code)
	}
	raw.write(frame(0x80|wsClose, closePayload(4001, "")))
	if first, _, err := raw.read(); err == nil {
		t.Errorf("a frame %x follows the close frame", first)
	}
}

// A client that does not read what it asks for stops being read (S9), and goes
// on where it was when it reads again.
func TestReaderPausesAndGoesOn(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.Payloads, o.Limits.UnsentBytes = -1, -1
	})
	raw := loginRaw(t, url, "ann")
	var c *conn
	for _, c = range g.byConn.All() {
	}
	body := strings.Repeat("x", 64<<10)
	eventually(t, "the socket is full", func() bool {
		g.Publish(t.Context(), "t", Event{Type: "E", Data: body})
		s := c.ready()
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.ring.unsentLive > 10
	})
	const beats = 200
	raw.write(bytes.Repeat(text(`{"op":1,"d":null}`), beats))
	waits := func() (frames int, paused bool) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.control != nil {
			frames = c.control.n
		}
		return frames, c.room != nil
	}
	eventually(t, "the reader pauses", func() bool { _, paused := waits(); return paused })
	if frames, _ := waits(); frames != controlFrames {
		t.Errorf("%d control frames wait, want %d", frames, controlFrames)
	}
	if s := g.Stats(); s.SlowNow != 1 || s.UnsentAge <= 0 || s.Unsent < 10 {
		t.Errorf("%d are slow, %d wait, for %v", s.SlowNow, s.Unsent, s.UnsentAge)
	}
	for range beats {
		raw.until(`"op":11`)
	}
}
