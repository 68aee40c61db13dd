package gateway

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/gatehouse-go/gatehouse/codec"
)

// zlibClient reads a connection with compress=zlib-stream.
type zlibClient struct {
	*testClient
	z *codec.ZlibStreamReader
}

func dialZlib(t testing.TB, url string) *zlibClient {
	return &zlibClient{dial(t, url+"?compress=zlib-stream"), codec.NewZlibStreamReader(codec.Limits{})}
}

func (c *zlibClient) want(op int, typ string) message {
	c.t.Helper()
	for {
		kind, data, err := c.ws.Read(c.t.Context())
		if err != nil {
			c.t.Fatalf("want op %d %s, got error %v", op, typ, err)
		}
		if kind != websocket.MessageBinary {
			c.t.Fatalf("a frame of type %v", kind)
		}
		if data, err = c.z.Append(nil, data); err != nil {
			c.t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(data, &m); err != nil {
			c.t.Fatal(err)
		}
		if m.Op == 1 && op != 1 {
			continue
		}
		if m.Op != op || typ != "" && *m.T != typ {
			c.t.Fatalf("want op %d %s, got %v", op, typ, m)
		}
		return m
	}
}

// Everything that a connection with compress=zlib-stream is sent goes through
// one stream, also what a full socket takes in parts; over the cap it is plain.
func TestZlibStream(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.ZlibStreams = 1
		o.Limits.UnsentBytes = -1
		o.Limits.KeptEvents, o.Limits.KeptBytes = -1, -1 // or the client is asked for a heartbeat, sooner or later
	})
	c := dialZlib(t, url)
	c.want(10, "")
	plain := dial(t, url+"?compress=zlib-stream")
	plain.want(10, "")
	if s := g.Stats(); s.ZlibStreams != 1 || s.ZlibRefused != 1 {
		t.Errorf("%d streams, %d refused", s.ZlibStreams, s.ZlibRefused)
	}
	c.identify("ann")
	session := sessionOf(t, c.want(0, "READY"))
	body := strings.Repeat("0123456789abcdef", 500)
	const n = 2000 // 16 MB of JSON
	for i := range n {
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: fmt.Sprint(i, " ", body)}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		if m := c.want(0, "E"); *m.S != uint64(i)+2 || !strings.HasPrefix(string(m.D), fmt.Sprintf(`"%d `, i)) {
			t.Fatalf("event %d is %d", i, *m.S)
		}
	}
	c.send(`{"op":1,"d":9}`)
	c.want(11, "")
	c.ws.CloseNow()
	eventually(t, "the stream is given back", func() bool { return g.Stats().ZlibStreams == 0 })

	c = dialZlib(t, url) // the same stream, reset
	c.want(10, "")
	c.resume("ann", session, n-5)
	for range 6 {
		c.want(0, "E")
	}
	c.want(0, "RESUMED")
	c.send(`{"op":77}`)
	c.wantClose(CloseUnknownOpcode)
}
