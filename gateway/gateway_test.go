package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/coder/websocket"
)

func TestSignInAndDispatch(t *testing.T) {
	for _, query := range []string{"", "?v=9&encoding=json", "?v=10&encoding=msgpack", "?encoding=msgpack&compress=lz4", "?compress=zstd-stream&x=y"} {
		t.Run(query, func(t *testing.T) {
			g, url := testGateway(t, func(o *Options) {
				o.Ready = func(ctx context.Context, s *Session) (any, error) {
					if err := s.Subscribe(ctx, "guild:7"); err != nil {
						return nil, err
					}
					return map[string]any{"guilds": []any{map[string]any{"id": "7"}}}, s.Send(ctx, Event{Type: "GUILD_CREATE", Data: map[string]string{"id": "7"}})
				}
			})
			c := dial(t, url+query)
			hello := c.want(10, "")
			if string(hello.D) != `{"heartbeat_interval":41250}` || hello.S != nil {
				t.Errorf("Hello is %v", hello)
			}
			c.identify("Bot ann")
			ready := c.want(0, "READY")
			var d struct {
				V         int
				User      struct{ ID string }
				Guilds    []struct{ ID string }
				SessionID string `json:"session_id"`
				URL       string `json:"resume_gateway_url"`
			}
			if err := json.Unmarshal(ready.D, &d); err != nil {
				t.Fatal(err)
			}
			if *ready.S != 1 || d.User.ID != "ann" || len(d.Guilds) != 1 || len(d.SessionID) != 32 || d.URL != url {
				t.Errorf("READY is %v", ready)
			}
			if m := c.want(0, "GUILD_CREATE"); *m.S != 2 {
				t.Errorf("GUILD_CREATE has sequence %d", *m.S)
			}
			big := strings.Repeat("hello ", 200)
			for i, data := range []any{"hi", 12345678901234567, -1.5, nil, map[string]any{"big": big}} {
				if err := g.Publish(t.Context(), "guild:7", Event{Type: "MESSAGE_CREATE", Data: data, Intent: IntentGuildMessages}); err != nil {
					t.Fatal(err)
				}
				want, _ := json.Marshal(data)
				if m := c.want(0, "MESSAGE_CREATE"); *m.S != uint64(i)+3 || string(m.D) != string(want) {
					t.Errorf("got %v, want data %s", m, want)
				}
			}
		})
	}
}

func TestIntentsFilter(t *testing.T) {
	g, url := testGateway(t, subscribeTo("guild:7"))
	c := dial(t, url)
	c.want(10, "")
	c.send(fmt.Sprintf(`{"op":2,"d":{"token":"ann","intents":%d}}`, IntentGuilds|IntentGuildMessages))
	c.want(0, "READY")
	for i, intent := range []Intent{IntentGuildPresences, 0, IntentDirectMessages | IntentGuilds, IntentGuildMessageTyping, IntentGuildMessages} {
		g.Publish(t.Context(), "guild:7", Event{Type: fmt.Sprint("E", i), Intent: intent})
	}
	for _, want := range []string{"E1", "E2", "E4"} {
		c.want(0, want)
	}
}

// READY's application may have the intents that need leave and that the client
// was let in with: libraries look before they ask.
func TestApplicationFlags(t *testing.T) {
	_, url := testGateway(t, nil)
	for intents, want := range map[Intent]int{
		0:                                 0,
		IntentGuilds:                      0,
		IntentGuildPresences:              1 << 13,
		IntentGuildMembers | IntentGuilds: 1 << 15,
		IntentMessageContent:              1 << 19,
		maxIntents:                        1<<13 | 1<<15 | 1<<19,
	} {
		c := dial(t, url)
		c.want(10, "")
		c.send(fmt.Sprintf(`{"op":2,"d":{"token":"ann","intents":%d}}`, intents))
		var d struct {
			Application struct {
				ID    string
				Flags int
			}
		}
		if err := json.Unmarshal(c.want(0, "READY").D, &d); err != nil {
			t.Fatal(err)
		}
		if d.Application.ID != "ann" || d.Application.Flags != want {
			t.Errorf("with intents %b the application is %+v, want flags %b", intents, d.Application, want)
		}
	}
}

// A library may send its JSON in binary frames.
func TestBinaryJSON(t *testing.T) {
	_, url := testGateway(t, nil)
	raw := dialRaw(t, url)
	raw.write(frame(0x80|wsBinary, []byte(`{"op":2,"d":{"token":"ann"}}`)))
	raw.until("READY")
}

func subscribeTo(topics ...string) func(*Options) {
	return func(o *Options) {
		o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, topics...) }
	}
}

func TestHeartbeats(t *testing.T) {
	_, url := testGateway(t, func(o *Options) { o.Limits.HeartbeatInterval = time.Second })
	c := dial(t, url)
	c.want(10, "")
	c.send(`{"op":1,"d":null}`) // legal in every state
	c.want(11, "")
	c.identify("ann")
	c.want(0, "READY")
	for _, d := range []string{"1", "0", "null", "1.0"} {
		c.send(`{"op":1,"d":` + d + `}`)
		c.want(11, "")
	}
	c.send(`{"op":1}`)
	c.want(11, "")
	began := time.Now()
	c.wantClose(CloseUnknown) // none comes any more
	if took := time.Since(began); took < 1200*time.Millisecond || took > 10*time.Second {
		t.Errorf("closed %v after the last heartbeat, want about 1.5 s", took)
	}
}

func TestIdentifyTimeout(t *testing.T) {
	_, url := testGateway(t, func(o *Options) { o.Limits.IdentifyTimeout = 500 * time.Millisecond })
	c := dial(t, url)
	c.want(10, "")
	c.wantClose(CloseNotAuthenticated)
}

func TestResumeIsRefusedAndTheConnectionStays(t *testing.T) {
	_, url := testGateway(t, nil)
	c := dial(t, url)
	c.want(10, "")
	for range 3 {
		c.send(`{"op":6,"d":{"token":"ann","session_id":"0123","seq":0}}`)
		if m := c.want(9, ""); string(m.D) != "false" {
			t.Errorf("Invalid Session is %v", m)
		}
	}
	c.identify("ann")
	c.want(0, "READY")
}

func TestCommands(t *testing.T) {
	g, url := testGateway(t, nil)
	type in struct{ Text string }
	Handle(g, "UPPER", func(_ context.Context, s *Session, in in) (string, error) {
		return s.User().ID + ":" + strings.ToUpper(in.Text), nil
	})
	Handle(g, "REFUSE", func(context.Context, *Session, in) (any, error) {
		return nil, fmt.Errorf("wrapped: %w", &CommandError{Code: "FORBIDDEN", Message: "no", RetryAfter: 5})
	})
	Handle(g, "FAIL", func(context.Context, *Session, in) (any, error) { return nil, errors.New("secret") })
	Handle(g, "PANIC", func(context.Context, *Session, in) (any, error) { panic("boom") })
	for _, query := range []string{"?ext=1", "?ext=1&encoding=msgpack&compress=lz4"} {
		c := login(t, url+query, "ann")
		for _, tt := range []struct{ send, want string }{
			{`{"t":"UPPER","d":{"text":"hi"},"n":1}`, `{"n":1,"d":"ann:HI"}`},
			{`{"t":"UPPER","n":"x"}`, `{"n":"x","d":"ann:"}`},
			{`{"t":"UPPER","d":{"text":5},"n":[1]}`, `BAD_REQUEST`},
			{`{"t":"REFUSE"}`, `{"n":null,"e":{"code":"FORBIDDEN","message":"no","retry_after":5}}`},
			{`{"t":"FAIL","n":2}`, `{"n":2,"e":{"code":"INTERNAL","message":"something went wrong"}}`},
			{`{"t":"PANIC","n":3}`, `{"n":3,"e":{"code":"INTERNAL","message":"something went wrong"}}`},
			{`{"t":"NOPE","n":4}`, `UNKNOWN_COMMAND`},
		} {
			c.send(`{"op":100,"d":` + tt.send + `}`)
			if m := c.want(101, ""); !strings.Contains(string(m.D), tt.want) {
				t.Errorf("%s was answered %s, want %s", tt.send, m.D, tt.want)
			}
		}
		c.send(`{"op":100,"d":{"d":{}}}`)
		c.wantClose(CloseUnknownOpcode)
	}
}

// Commands of one session run in order and never on the reader.
func TestHeartbeatsGoOnWhileACommandRuns(t *testing.T) {
	g, url := testGateway(t, nil)
	begun, release := make(chan struct{}, 17), make(chan struct{})
	Handle(g, "WAIT", func(context.Context, *Session, int) (int, error) {
		begun <- struct{}{}
		<-release
		return 0, nil
	})
	c := login(t, url+"?ext=1", "ann")
	for n := range 18 {
		c.send(fmt.Sprintf(`{"op":100,"d":{"t":"WAIT","d":%d,"n":%d}}`, n, n))
		if n == 0 {
			<-begun
		}
	}
	// One runs, 16 wait, the last one is told.
	if m := c.want(0, "RATE_LIMITED"); !strings.Contains(string(m.D), `"opcode":100`) {
		t.Errorf("RATE_LIMITED is %v", m)
	}
	c.send(`{"op":1,"d":1}`)
	c.want(11, "")
	close(release)
	for n := range 17 {
		if m := c.want(101, ""); string(m.D) != fmt.Sprintf(`{"n":%d,"d":0}`, n) {
			t.Fatalf("reply %d is %v", n, m)
		}
	}
}

func TestRateLimit(t *testing.T) {
	_, url := testGateway(t, func(o *Options) { o.Limits.Payloads = 10 })
	c := login(t, url, "ann")
	for range 9 { // Identify was the first
		c.send(`{"op":4,"d":null}`)
	}
	c.send(`{"op":1,"d":null}`)
	c.want(11, "")
	c.send(`{"op":4,"d":null}`)
	m := c.want(0, "RATE_LIMITED")
	var d struct {
		Opcode     int
		RetryAfter float64 `json:"retry_after"`
	}
	if json.Unmarshal(m.D, &d); d.Opcode != 4 || d.RetryAfter <= 0 || d.RetryAfter > 60 {
		t.Errorf("RATE_LIMITED is %v", m)
	}
	for range 9 {
		c.send(`{"op":1,"d":null}`)
	}
	c.wantClose(CloseRateLimited)
}

func TestLimitsOnConnections(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		o.Limits.Connections = 3
		o.Limits.ConnectionsPerAddress = 2
		o.ClientAddr = func(r *http.Request) string { return r.URL.Query().Get("from") }
	})
	status := func(from string) int {
		ws, res, err := websocket.Dial(t.Context(), url+"?from="+from, nil)
		if err == nil {
			t.Cleanup(func() { ws.CloseNow() })
			return 101
		}
		return res.StatusCode
	}
	for i, tt := range []struct {
		from string
		want int
	}{{"a", 101}, {"a", 101}, {"a", 429}, {"b", 101}, {"c", 503}} {
		if got := status(tt.from); got != tt.want {
			t.Errorf("connection %d from %s: status %d, want %d", i, tt.from, got, tt.want)
		}
	}
	st := g.Stats()
	if st.Connections != 3 || st.Refused["address"] != 1 || st.Refused["full"] != 1 {
		t.Errorf("stats are %+v", st)
	}
}

func TestOriginCheck(t *testing.T) {
	for _, tt := range []struct {
		allowed []string
		origin  string
		want    int
	}{
		{nil, "", 101},
		{nil, "http://evil.example", 403},
		{[]string{"*.good.example"}, "https://a.good.example", 101},
		{[]string{"*.good.example"}, "https://evil.example", 403},
		{[]string{"*"}, "https://evil.example", 101},
	} {
		_, url := testGateway(t, func(o *Options) { o.Origins = tt.allowed })
		header := http.Header{}
		if tt.origin != "" {
			header.Set("Origin", tt.origin)
		}
		ws, res, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: header})
		if err == nil {
			ws.CloseNow()
		}
		if res == nil || res.StatusCode != tt.want {
			t.Errorf("origin %q with %v: %v, want %d", tt.origin, tt.allowed, res, tt.want)
		}
	}
}

func TestDiscovery(t *testing.T) {
	_, url := testGateway(t, nil)
	base := "http" + strings.TrimPrefix(url, "ws")
	for _, tt := range []struct {
		path string
		code int
		want string
	}{
		{"/gateway", 200, `{"url":"` + url + `"}`},
		{"", 200, `{"url":"` + url + `"}`},
		{"/gateway/bot", 200, `"session_start_limit":{"max_concurrency":16,"remaining":1000,"reset_after":0,"total":1000}`},
		{"/other", 426, "WebSocket"},
	} {
		res, err := http.Get(base + tt.path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		res.Body.Close()
		if res.StatusCode != tt.code || !strings.Contains(string(body), tt.want) {
			t.Errorf("GET %s: %d %s", tt.path, res.StatusCode, body)
		}
		if tt.code == 200 && res.Header.Get("Content-Type") != "application/json" {
			t.Errorf("GET %s has type %q", tt.path, res.Header.Get("Content-Type"))
		}
	}
	res, err := http.Post(base, "text/plain", nil)
	if err != nil || res.StatusCode != 405 {
		t.Errorf("POST: %v %v", res, err)
	}
	if _, res, err := websocket.Dial(t.Context(), url+"?encoding=etf", nil); err == nil || res.StatusCode != 400 {
		t.Errorf("an unknown encoding: %v %v", res, err)
	}
	for _, slashes := range []string{"/", "//"} {
		login(t, url+slashes+"?v=10", "ann")
	}
}

func TestUnder(t *testing.T) {
	g, _ := testGateway(t, nil)
	h := g.Under("/rt/", http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }))
	srv := newServer(t, h)
	for path, want := range map[string]int{"/": 418, "/rtx": 418, "/rt/gateway": 200, "/rt//gateway": 200, "/rt": 426, "/other/gateway": 418} {
		res, err := http.Get(srv + path)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode != want {
			t.Errorf("GET %s: %d, want %d", path, res.StatusCode, want)
		}
	}
	login(t, "ws"+strings.TrimPrefix(srv, "http")+"/rt//?v=10", "ann")
}

func TestSignInFailures(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		in   string // where it is returned
		want Code
	}{
		{"unauthorized", fmt.Errorf("no: %w", ErrUnauthorized), "authenticate", CloseAuthFailed},
		{"a code of its own", &CloseError{Code: CloseShardingRequired}, "authenticate", CloseShardingRequired},
		{"broken", errors.New("database down"), "authenticate", CloseUnknown},
		{"panics", nil, "authenticate", CloseUnknown},
		{"unauthorized", ErrUnauthorized, "ready", CloseAuthFailed},
		{"broken", errors.New("database down"), "ready", CloseUnknown},
		{"panics", nil, "ready", CloseUnknown},
		{"without an object", nil, "ready returns 7", CloseUnknown},
		{"without an ID", nil, "no user", CloseUnknown},
	} {
		t.Run(tt.in+" "+tt.name, func(t *testing.T) {
			fail := func() error {
				if tt.err == nil {
					panic("boom")
				}
				return tt.err
			}
			g, url := testGateway(t, func(o *Options) {
				o.Authenticate = func(context.Context, Identify) (User, error) {
					switch tt.in {
					case "authenticate":
						return User{}, fail()
					case "no user":
						return User{}, nil
					}
					return User{ID: "ann"}, nil
				}
				o.Ready = func(context.Context, *Session) (any, error) {
					if tt.in == "ready" {
						return nil, fail()
					}
					return 7, nil
				}
			})
			c := dial(t, url)
			c.want(10, "")
			c.identify("x")
			c.wantClose(tt.want)
			eventually(t, "nothing is left", func() bool { s := g.Stats(); return s.Sessions == 0 && s.Connections == 0 })
		})
	}
}

func TestUserOperations(t *testing.T) {
	g, url := testGateway(t, nil)
	a1, a2 := login(t, url, "ann"), login(t, url+"?ext=1", "ann")
	b := login(t, url, "bob")
	ctx := t.Context()
	if err := g.SubscribeUser(ctx, "ann", "news", "news"); err != nil {
		t.Fatal(err)
	}
	g.Publish(ctx, "news", Event{Type: "ONE"})
	a1.want(0, "ONE")
	a2.want(0, "ONE")
	if err := g.UnsubscribeUser(ctx, "ann", "news", "other"); err != nil {
		t.Fatal(err)
	}
	g.SubscribeUser(ctx, "bob", "news")
	g.Publish(ctx, "news", Event{Type: "TWO"})
	if m := b.want(0, "TWO"); *m.S != 2 {
		t.Errorf("bob's first event has sequence %d", *m.S)
	}
	if err := g.KickUser(ctx, "ann", "spam"); err != nil {
		t.Fatal(err)
	}
	a1.wantClose(CloseAuthFailed)
	a2.wantClose(CloseKicked)
	eventually(t, "ann's topics are gone", func() bool { return g.Stats().Topics == 1 && g.Stats().Sessions == 1 })
}

func TestHooks(t *testing.T) {
	var mu sync.Mutex
	var seen []string
	note := func(format string, args ...any) {
		mu.Lock()
		seen = append(seen, fmt.Sprintf(format, args...))
		mu.Unlock()
	}
	g, url := testGateway(t, func(o *Options) {
		o.OnConnect = func(i ConnInfo) { note("connect %d %s", i.ID, i.Encoding) }
		o.OnSession = func(s *Session) { note("session %s", s.User().ID) }
		o.OnDisconnect = func(i ConnInfo, s *Session, why *CloseError) {
			note("disconnect %d %v %d %v", i.ID, s != nil, why.Code, why.ByClient)
		}
	})
	c := login(t, url+"?encoding=msgpack", "ann")
	eventually(t, "the session is told of", func() bool {
		mu.Lock()
		defer mu.Unlock()
		return len(seen) == 2
	})
	c.ws.Close(1000, "bye")
	eventually(t, "the end", func() bool { return g.Stats().Connections == 0 })
	c = dial(t, url)
	c.want(10, "")
	c.ws.CloseNow()
	eventually(t, "the end", func() bool { return g.Stats().Connections == 0 && g.Stats().Accepted == 2 })
	want := "[connect 1 msgpack session ann disconnect 1 true 1000 true connect 2 json disconnect 2 false 1006 true]"
	mu.Lock()
	defer mu.Unlock()
	if got := fmt.Sprint(seen); got != want {
		t.Errorf("hooks were called\n%s, want\n%s", got, want)
	}
}

// Ops 4 and 8 are handed to the application, as JSON whatever the encoding.
func TestOperationsOfTheApplication(t *testing.T) {
	got := make(chan string, 4)
	note := func(name string) func(context.Context, *Session, []byte) error {
		return func(_ context.Context, s *Session, data []byte) error {
			got <- fmt.Sprintf("%s %s %s", name, s.User().ID, data)
			return errors.New("is logged")
		}
	}
	_, url := testGateway(t, func(o *Options) { o.VoiceState, o.RequestMembers = note("voice"), note("members") })
	for _, query := range []string{"", "?encoding=msgpack"} {
		c := login(t, url+query, "ann")
		c.send(`{"op":4,"d":{"channel_id":null}}`)
		c.send(`{"op":8}`)
		if v, m := <-got, <-got; v != `voice ann {"channel_id":null}` || m != "members ann null" {
			t.Errorf("got %s and %s", v, m)
		}
	}
}

func TestCodes(t *testing.T) {
	for code, rule := range closeRules {
		if code.String() != rule.text || code.Reconnect() != rule.reconnect || code.Resume() != rule.resume {
			t.Errorf("code %d is not its row of the table", code)
		}
		if code.wire(true) != code || code.wire(false) != rule.stock {
			t.Errorf("code %d goes out as %d and %d", code, code.wire(true), code.wire(false))
		}
		if stock := closeRules[rule.stock]; rule.stock == 0 || stock.text == "" {
			t.Errorf("code %d has no row for stock clients", code)
		}
	}
	if !Code(4999).Reconnect() || !Code(4999).Resume() || closeNormal.Resume() || closeGoingAway.Resume() || !closeAbnormal.Resume() {
		t.Error("unknown codes keep a session, a client's goodbye ends it")
	}
	if got := (&CloseError{Code: 4000, Reason: "x", ByClient: true}).Error(); got != "gateway: closed by client: 4000 x" {
		t.Error(got)
	}
}

// A reason that is too long for a control frame is cut, never inside a rune.
func TestLongCloseReason(t *testing.T) {
	for n := range 4 {
		reason := strings.Repeat("x", n) + strings.Repeat("ü€😀", 30)
		frame := appendCloseFrame(nil, CloseUnknown, reason)
		if len(frame) > 127 || int(frame[1]) != len(frame)-2 || !utf8.Valid(frame[4:]) || len(frame) < 122 {
			t.Errorf("%d bytes, %x", len(frame), frame)
		}
	}
}

func TestPlatforms(t *testing.T) {
	for browser, want := range map[any]string{"Discord iOS": "mobile", "Discord Android": "mobile", "Discord Client": "desktop", "Discord Embedded": "embedded", "disco": "web", 7: "web", nil: "web"} {
		for _, name := range []string{"browser", "$browser"} {
			id := Identify{Properties: map[string]any{name: browser}}
			if got := id.platform(); got != want {
				t.Errorf("%v is %s, want %s", browser, got, want)
			}
		}
	}
}
