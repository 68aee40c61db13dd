package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

func TestPresence(t *testing.T) {
	var g *Gateway
	g, url := testGateway(t, func(o *Options) {
		o.Presence = presence.Options{Window: 5 * time.Millisecond, Lease: time.Millisecond, Backoff: time.Millisecond, Grace: 300 * time.Millisecond}
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			g.Presence().Join("guild:7", s.User().ID)
			return nil, s.Subscribe(ctx, "guild:7")
		}
	})
	watcher := login(t, url, "watcher")
	next := func(user, status string) {
		t.Helper()
		for {
			m := watcher.want(0, "PRESENCE_UPDATE")
			if strings.Contains(string(m.D), `"id":"watcher"`) {
				continue
			}
			var d struct {
				User         struct{ ID string }
				Status       string
				ClientStatus map[string]string `json:"client_status"`
				Activities   []any
			}
			if err := json.Unmarshal(m.D, &d); err != nil || d.Activities == nil {
				t.Fatalf("PRESENCE_UPDATE is %v: %v", m, err)
			}
			if d.User.ID != user || d.Status != status || (status == "offline") != (len(d.ClientStatus) == 0) {
				t.Fatalf("got %v, want %s %s", m, user, status)
			}
			return
		}
	}
	ann := dial(t, url)
	ann.want(10, "")
	ann.send(`{"op":2,"d":{"token":"ann","intents":0,"presence":{"status":"idle","since":0.0,"activities":null,"afk":true}}}`)
	ann.want(0, "READY")
	next("ann", "idle")
	for _, status := range []string{"dnd", "", "busy", "invisible"} {
		ann.send(fmt.Sprintf(`{"op":3,"d":{"since":null,"activities":[{"name":"chess","type":0}],"status":%q,"afk":false}}`, status))
		switch status {
		case "dnd":
			next("ann", "dnd")
		case "":
			next("ann", "online")
		case "invisible": // "busy" changed nothing
			next("ann", "offline")
		}
	}
	if g.Presence().Self("ann").Status != presence.Invisible {
		t.Errorf("ann sees herself as %s", g.Presence().Self("ann").Status)
	}

	// Two devices are one person; a drop is silent, a goodbye is not. Eve drops
	// last and stays away: when she is offline, bob's grace period is over too.
	b1, b2 := login(t, url, "bob"), login(t, url, "bob")
	next("bob", "online")
	b1.ws.CloseNow()
	b2.ws.CloseNow()
	eventually(t, "bob's connections have ended", func() bool { return g.Stats().Connections == 2 })
	b3 := login(t, url, "bob")
	eve := login(t, url, "eve")
	next("eve", "online")
	eve.ws.CloseNow()
	next("eve", "offline")
	b3.ws.Close(1000, "")
	next("bob", "offline")
}

func TestPresenceLimit(t *testing.T) {
	_, url := testGateway(t, nil)
	c := login(t, url, "ann")
	for range 5 {
		c.send(`{"op":3,"d":{"status":"online"}}`)
	}
	c.send(`{"op":3,"d":{"status":"dnd"}}`)
	if m := c.want(0, "RATE_LIMITED"); !strings.Contains(string(m.D), `"opcode":3`) {
		t.Errorf("RATE_LIMITED is %v", m)
	}
}

// A session whose reader is slow has lost its connection like any other: its
// user goes offline when nobody comes back within the grace period.
func TestSlowConsumerIsNotOnline(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentEvents = 20
		o.Presence.Grace = -1
	})
	c, _ := signIn(t, url, "ann")
	status := func() presence.Status { return g.Presence().Get("ann").Status }
	eventually(t, "she is online", func() bool { return status() == presence.Online })
	body := strings.Repeat("x", 100_000)
	for g.Stats().SlowConsumers == 0 {
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "she is not", func() bool { return status() == presence.Offline })
	if n := g.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions: she is offline for want of one", n)
	}
	c.ws.CloseNow()
}

// Who was online without an activity is so at the next gateway, too.
func TestPresenceIsHandedOver(t *testing.T) {
	options := shared(t, nil)
	old, url := testGateway(t, options)
	c := dial(t, url)
	c.want(10, "")
	c.send(`{"op":2,"d":{"token":"ann","intents":0,"presence":{"status":"idle","since":null,"activities":null,"afk":true}}}`)
	session := sessionOf(t, c.want(0, "READY"))
	shutdown(t, old, 5*time.Second)
	fresh, url := testGateway(t, options)
	resume(t, url, "ann", session, 1).want(0, "RESUMED")
	eventually(t, "ann is idle at the next gateway", func() bool {
		return fresh.Presence().Get("ann").Status == presence.Idle
	})
}
