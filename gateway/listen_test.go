package gateway

import (
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// tlsServer serves a gateway by TLS over Listen.
func tlsServer(t *testing.T, g *Gateway) *httptest.Server {
	srv := httptest.NewUnstartedServer(g)
	srv.Listener = Listen(srv.Listener)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	return srv
}

// loginTLS is login at a tlsServer.
func loginTLS(t *testing.T, srv *httptest.Server, token string) *testClient {
	t.Helper()
	url := "wss" + strings.TrimPrefix(srv.URL, "https") + "/gateway"
	ws, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPClient: srv.Client()})
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow() })
	c := &testClient{t: t, ws: ws}
	c.want(10, "")
	c.identify(token)
	c.want(0, "READY")
	return c
}

// Behind TLS over Listen, connections are written straight, also with more than
// a socket takes, and everything arrives in order.
func TestListen(t *testing.T) {
	g, _ := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentBytes, o.Limits.UnsentEvents = -1, -1
	})
	srv := tlsServer(t, g)
	c := loginTLS(t, srv, "ann")
	for _, conn := range g.byConn.All() {
		if !conn.sock.Straight() {
			t.Errorf("a %T is not straight", conn.sock.Below())
		}
	}
	const events = 100
	body := strings.Repeat("x", 60_000)
	for range events { // 6 MB, of which nothing is read meanwhile
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range events {
		if m := c.want(0, "E"); *m.S != uint64(i+2) || len(m.D) != len(body)+2 {
			t.Fatalf("event %d has sequence %d and %d bytes", i, *m.S, len(m.D))
		}
	}
	answer, err := srv.Client().Get(srv.URL + "/gateway/gateway")
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != 200 {
		t.Errorf("an ordinary request: %s", answer.Status)
	}
}

// A client over TLS that does not read is closed as a slow consumer, and holds up nobody.
func TestListenSlowConsumer(t *testing.T) {
	g, _ := testGateway(t, subscribeTo("t"))
	srv := tlsServer(t, g)
	slow, well := loginTLS(t, srv, "slow"), loginTLS(t, srv, "well")
	body := strings.Repeat("x", 60_000)
	eventually(t, "the slow one is closed", func() bool {
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
		well.want(0, "E")
		return g.Stats().SlowConsumers > 0
	})
	if code := slow.closeCode(); code != CloseSlowConsumer.wire(false) {
		t.Errorf("closed with %d", code)
	}
}
