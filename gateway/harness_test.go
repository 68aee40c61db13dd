package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gatehouse-go/gatehouse/codec"
)

// testGateway starts a gateway on a free port. Unless the options say
// otherwise, any token but "" and "refused" signs in as the user of that name.
func testGateway(t testing.TB, change func(*Options)) (*Gateway, string) {
	t.Helper()
	log := &testLog{t: t}
	t.Cleanup(log.end) // after the gateway's
	o := Options{
		Authenticate: func(_ context.Context, id Identify) (User, error) {
			if id.Token == "" || id.Token == "refused" {
				return User{}, ErrUnauthorized
			}
			return User{ID: id.Token}, nil
		},
		Logger: slog.New(slog.NewTextHandler(log, nil)),
	}
	if change != nil {
		change(&o)
	}
	g, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := g.Shutdown(ctx); err != nil && !errors.Is(err, ErrClosed) {
			t.Errorf("Shutdown: %v", err)
		}
		srv.Close()
	})
	return g, "ws" + strings.TrimPrefix(srv.URL, "http") + "/gateway"
}

// testLog writes to a test's log while the test runs.
type testLog struct {
	t    testing.TB
	mu   sync.Mutex
	over bool
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.over {
		l.t.Logf("%s", bytes.TrimSpace(p))
	}
	return len(p), nil
}

// end has nothing written any more: what a gateway says that was cut off.
func (l *testLog) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.over = true
}

// message is an envelope as a client sees it.
type message struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
	S  *uint64         `json:"s"`
	T  *string         `json:"t"`
}

func (m message) String() string {
	t, s := "-", uint64(0)
	if m.T != nil {
		t = *m.T
	}
	if m.S != nil {
		s = *m.S
	}
	return fmt.Sprintf("op %d %s s=%d %s", m.Op, t, s, m.D)
}

// testClient is a test's client. It fails its test on anything unexpected.
type testClient struct {
	t       testing.TB
	ws      *websocket.Conn
	msgpack bool
	dict    *codec.Dictionary // that messages are compressed with; nil: none
	size    int               // of the last message
	seen    uint64            // the last sequence that event returned
}

func dial(t testing.TB, url string) *testClient {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow() })
	return &testClient{t: t, ws: ws, msgpack: strings.Contains(url, "msgpack")}
}

// login dials, identifies and reads READY.
func login(t testing.TB, url, token string) *testClient {
	t.Helper()
	c := dial(t, url)
	c.want(10, "")
	c.identify(token)
	c.want(0, "READY")
	return c
}

func (c *testClient) identify(token string) {
	c.t.Helper()
	c.send(fmt.Sprintf(`{"op":2,"d":{"token":%q,"properties":{},"intents":53608447}}`, token))
}

// send sends JSON, transcoded if the connection speaks MessagePack.
func (c *testClient) send(text string) {
	c.t.Helper()
	data, kind := []byte(text), websocket.MessageText
	if c.msgpack {
		var err error
		if data, err = codec.AppendMsgPackFromJSON(nil, data, codec.Limits{}); err != nil {
			c.t.Fatal(err)
		}
		kind = websocket.MessageBinary
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.ws.Write(ctx, kind, data); err != nil {
		c.t.Fatalf("send: %v", err)
	}
}

// read returns the next message, or the error that ended the connection.
func (c *testClient) read() (message, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	kind, data, err := c.ws.Read(ctx)
	if err != nil {
		return message{}, err
	}
	if (kind == websocket.MessageBinary) != c.msgpack {
		c.t.Errorf("a frame of type %v on this connection", kind)
	}
	c.size = len(data)
	if c.dict != nil {
		var raw codec.Raw
		if err := c.dict.LZ4(codec.MsgPack).Decode(data, &raw); err != nil {
			c.t.Fatalf("a message does not decode: %v", err)
		}
		data = raw.MsgPack
	}
	if c.msgpack {
		if data, err = codec.AppendJSONFromMsgPack(nil, data, codec.Limits{}); err != nil {
			c.t.Fatalf("a message does not decode: %v", err)
		}
	}
	var m message
	if err := json.Unmarshal(data, &m); err != nil {
		c.t.Fatalf("a message does not decode: %v: %s", err, data)
	}
	return m, nil
}

// event returns the next dispatch. A heartbeat that the server asks for
// meanwhile is sent.
func (c *testClient) event() (message, error) {
	for {
		m, err := c.read()
		if err != nil {
			return m, err
		}
		switch m.Op {
		case 0:
			c.seen = *m.S
			return m, nil
		case 1:
			c.send(fmt.Sprintf(`{"op":1,"d":%d}`, c.seen))
		case 9:
			return m, errSessionLost
		}
	}
}

var errSessionLost = errors.New("the session is lost, and told so")

// want reads the next message, which must have this op and, if given, type.
func (c *testClient) want(op int, typ string) message {
	c.t.Helper()
	read := c.read
	if op == 0 {
		read = c.event
	}
	m, err := read()
	if err != nil {
		c.t.Fatalf("want op %d %s, got error %v", op, typ, err)
	}
	if m.Op != op || typ != "" && (m.T == nil || *m.T != typ) {
		c.t.Fatalf("want op %d %s, got %v", op, typ, m)
	}
	return m
}

// wantClose reads until the server's close frame, which must have this code.
func (c *testClient) wantClose(code Code) {
	c.t.Helper()
	if got := c.closeCode(); got != code {
		c.t.Fatalf("closed with %d, want %d", got, code)
	}
}

// closeCode reads until the connection ends.
func (c *testClient) closeCode() Code {
	for {
		if _, err := c.read(); err != nil {
			if code := websocket.CloseStatus(err); code >= 0 {
				return Code(code)
			}
			return closeAbnormal
		}
	}
}

// patience is how long what must happen may take on a machine that is busy.
// Nothing waits for it to pass.
const patience = time.Minute

// eventually waits for a condition that other goroutines bring about.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", patience, what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

// newServer serves a handler until the test ends.
func newServer(t testing.TB, h http.Handler) string {
	srv := httptest.NewServer(h)
	t.Cleanup(srv.Close)
	return srv.URL
}
