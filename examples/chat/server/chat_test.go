package server

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// start serves a data file until the test ends or stop is called.
func start(t *testing.T, data string) (url string, stop func()) {
	t.Helper()
	return startWith(t, data, "")
}

// startWith is start with a state file.
func startWith(t *testing.T, data, state string) (url string, stop func()) {
	t.Helper()
	return startOptions(t, Options{Data: data, State: state})
}

func startOptions(t *testing.T, o Options) (url string, stop func()) {
	t.Helper()
	s, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.Handler())
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if err := s.Close(ctx); err != nil { // the test's clients do not read: they are cut off
			t.Error(err)
		}
		srv.Close()
	}
	t.Cleanup(stop)
	return srv.URL, stop
}

type envelope struct {
	Op int
	T  string
	D  json.RawMessage
}

type client struct {
	t     *testing.T
	ws    *websocket.Conn
	guild map[string]any // GUILD_CREATE
	n     int

	session string // its id
	reads   []readMark
}

// join signs in and reads READY and GUILD_CREATE.
func join(t *testing.T, url, name string) *client {
	t.Helper()
	c := connect(t, url)
	c.send(2, map[string]any{"token": name, "intents": 53608447})
	var ready struct {
		SessionID string     `json:"session_id"`
		ReadState []readMark `json:"read_state"`
	}
	if err := json.Unmarshal(c.until(0, "READY"), &ready); err != nil {
		t.Fatal(err)
	}
	c.session, c.reads = ready.SessionID, ready.ReadState
	if err := json.Unmarshal(c.until(0, "GUILD_CREATE"), &c.guild); err != nil {
		t.Fatal(err)
	}
	return c
}

// connect returns a client that has not signed in.
func connect(t *testing.T, url string) *client {
	t.Helper()
	ws, _, err := websocket.Dial(t.Context(), "ws"+strings.TrimPrefix(url, "http")+"/gateway/?v=10&encoding=json&ext=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	ws.SetReadLimit(-1)
	t.Cleanup(func() { ws.CloseNow() })
	return &client{t: t, ws: ws}
}

func (c *client) send(op int, d any) {
	c.t.Helper()
	if err := wsjson.Write(context.Background(), c.ws, map[string]any{"op": op, "d": d}); err != nil {
		c.t.Fatal(err)
	}
}

// until skips to the next message with this op and type.
func (c *client) until(op int, kind string) json.RawMessage {
	c.t.Helper()
	for {
		var e envelope
		c.read(&e)
		if e.Op == op && e.T == kind {
			return e.D
		}
	}
}

func (c *client) read(e *envelope) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := wsjson.Read(ctx, c.ws, e); err != nil {
		c.t.Fatal(err)
	}
}

// call runs a command and returns what it answered, or its error's code.
func (c *client) call(name string, in any) (map[string]any, string) {
	c.t.Helper()
	c.n++
	c.send(100, map[string]any{"t": name, "d": in, "n": c.n})
	var out struct {
		N int
		D map[string]any
		E struct{ Code, Message string }
	}
	if err := json.Unmarshal(c.until(101, ""), &out); err != nil || out.N != c.n {
		c.t.Fatalf("%s: reply %+v, %v", name, out, err)
	}
	return out.D, out.E.Code
}

func (c *client) history(channel string) (contents string) {
	c.t.Helper()
	d, code := c.call("HISTORY", map[string]any{"channel_id": channel})
	if code != "" {
		c.t.Fatalf("HISTORY: %s", code)
	}
	for _, m := range d["messages"].([]any) {
		contents += m.(map[string]any)["content"].(string) + "|"
	}
	return contents
}

func TestTalk(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := join(t, url, "ann")
	bob := join(t, url, "Bot bob")
	ann.until(0, "GUILD_MEMBER_ADD")
	if n := len(bob.guild["members"].([]any)); n != 2 {
		t.Errorf("%d members", n)
	}
	sent, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": " hello \n", "nonce": "x1"})
	if code != "" || sent["content"] != "hello" || sent["nonce"] != "x1" {
		t.Fatalf("SEND_MESSAGE: %v %s", sent, code)
	}
	if d := string(bob.until(0, "MESSAGE_CREATE")); !strings.Contains(d, `"nonce":"x1"`) || !strings.Contains(d, `"username":"ann"`) {
		t.Errorf("MESSAGE_CREATE is %s", d)
	}
	at := map[string]any{"channel_id": "2", "message_id": sent["id"], "content": "changed"}
	if _, code := ann.call("EDIT_MESSAGE", at); code != "" {
		t.Errorf("EDIT_MESSAGE: %s", code)
	}
	if d := string(bob.until(0, "MESSAGE_UPDATE")); !strings.Contains(d, `"content":"changed"`) || strings.Contains(d, `"edited_timestamp":null`) {
		t.Errorf("MESSAGE_UPDATE is %s", d)
	}
	ann.call("TYPING", map[string]any{"channel_id": "2"})
	bob.until(0, "TYPING_START")
	if got := bob.history("2"); got != "changed|" {
		t.Errorf("history is %s", got)
	}
	for _, tt := range []struct {
		name string
		in   map[string]any
		want string
	}{
		{"SEND_MESSAGE", map[string]any{"channel_id": "2", "content": " \n "}, "EMPTY"},
		{"SEND_MESSAGE", map[string]any{"channel_id": "2", "content": strings.Repeat("ü", 1001)}, ""},
		{"SEND_MESSAGE", map[string]any{"channel_id": "2", "content": strings.Repeat("x", 2001)}, "TOO_LONG"},
		{"SEND_MESSAGE", map[string]any{"channel_id": "99", "content": "x"}, "NOT_FOUND"},
		{"SEND_MESSAGE", map[string]any{"channel_id": "x", "content": "x"}, "BAD_REQUEST"},
		{"SEND_MESSAGE", map[string]any{"channel_id": "18446744073709551615", "content": "x"}, "BAD_REQUEST"},
		{"EDIT_MESSAGE", at, "FORBIDDEN"},
		{"DELETE_MESSAGE", at, "FORBIDDEN"},
		{"EDIT_MESSAGE", map[string]any{"channel_id": "3", "message_id": sent["id"], "content": "x"}, "NOT_FOUND"},
		{"DELETE_MESSAGE", map[string]any{"channel_id": "2", "message_id": "5"}, "NOT_FOUND"},
		{"HISTORY", map[string]any{"channel_id": "99"}, "NOT_FOUND"},
		{"CREATE_CHANNEL", map[string]any{"name": "General"}, "TAKEN"},
		{"CREATE_CHANNEL", map[string]any{"name": "a/b"}, "BAD_REQUEST"},
		{"CREATE_CHANNEL", map[string]any{"name": "new things"}, ""},
		{"NOPE", nil, "UNKNOWN_COMMAND"},
	} {
		if _, code := bob.call(tt.name, tt.in); code != tt.want {
			t.Errorf("%s %.60v: %q, want %q", tt.name, tt.in, code, tt.want)
		}
	}
	ann.until(0, "CHANNEL_CREATE")
	if _, code := ann.call("DELETE_MESSAGE", at); code != "" {
		t.Errorf("DELETE_MESSAGE: %s", code)
	}
	bob.until(0, "MESSAGE_DELETE")
}

func TestRestartKeepsEverything(t *testing.T) {
	data := filepath.Join(t.TempDir(), "chat.db")
	url, stop := start(t, data)
	ann := join(t, url, "ann")
	var last string
	for i := range 60 {
		m, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": fmt.Sprint(i)})
		if code != "" {
			t.Fatal(code)
		}
		last = m["id"].(string)
	}
	ann.call("CREATE_CHANNEL", map[string]any{"name": "more"})
	stop()

	url, _ = start(t, data)
	ann = join(t, url, "ann")
	if n := len(ann.guild["channels"].([]any)); n != 4 {
		t.Errorf("%d channels", n)
	}
	d, _ := ann.call("HISTORY", map[string]any{"channel_id": "2", "limit": 50})
	messages := d["messages"].([]any)
	first := messages[0].(map[string]any)
	if len(messages) != 50 || d["more"] != true || first["content"] != "10" {
		t.Errorf("%d messages, more %v, the first is %v", len(messages), d["more"], first["content"])
	}
	d, _ = ann.call("HISTORY", map[string]any{"channel_id": "2", "before": first["id"], "limit": 50})
	if older := d["messages"].([]any); len(older) != 10 || d["more"] != false {
		t.Errorf("%d older messages, more %v", len(older), d["more"])
	}
	m, _ := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "again"})
	if id := m["id"].(string); len(id) < len(last) || id <= last {
		t.Errorf("id %s after %s", id, last)
	}
}

// Several tabs of one user are one member, and one presence.
func TestTabsAreOnePerson(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := join(t, url, "ann")
	tab1, tab2 := join(t, url, "bob"), join(t, url, "BOB ")
	if n := len(tab2.guild["members"].([]any)); n != 2 {
		t.Errorf("%d members", n)
	}
	status := func(want string) {
		t.Helper()
		for {
			d := string(ann.until(0, "PRESENCE_UPDATE"))
			if bob, _, _ := userOf("bob"); strings.Contains(d, bob.String()) {
				if !strings.Contains(d, `"status":"`+want+`"`) {
					t.Fatalf("bob's presence is %s, want %s", d, want)
				}
				return
			}
		}
	}
	status("online")
	tab1.send(3, map[string]any{"since": nil, "activities": []any{}, "status": "dnd", "afk": false})
	status("dnd")
	tab1.ws.Close(1000, "")
	status("online")
	tab2.ws.Close(1001, "")
	status("offline")
}

func TestNamesAndTokens(t *testing.T) {
	for _, tt := range []struct {
		token, name string
		ok          bool
	}{
		{"ann", "ann", true}, {"  Ann   Lee ", "Ann Lee", true}, {"", "", false}, {" ", "", false},
		{strings.Repeat("x", 33), "", false}, {"MTIz.x.y", "user 123", true}, {"a.b", "a.b", true}, {"a.b.c", "a.b.c", true},
		{"\u200b", "", false}, {"a\u202eb", "", false}, {"a\x00b", "", false}, {"\u0301", "", false}, {"\u200d", "", false},
		{"👩\u200d🚀", "👩\u200d🚀", true}, {"Zoë", "Zoë", true}, {"李", "李", true}, {":)", ":)", true},
	} {
		i, name, ok := userOf(tt.token)
		if ok != tt.ok || name != tt.name || ok && i == 0 {
			t.Errorf("userOf(%q) is %v %q %v", tt.token, i, name, ok)
		}
	}
	a, _, _ := userOf("Ann")
	b, _, _ := userOf("ann")
	if a != b {
		t.Error("upper and lower case are two users")
	}
}

func TestURL(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "http://127.0.0.1:8080", "0.0.0.0:80": "http://localhost:80", "[::]:80": "http://localhost:80", "[::1]:80": "http://[::1]:80",
	} {
		a, err := net.ResolveTCPAddr("tcp", addr)
		if err != nil {
			t.Fatal(err)
		}
		if got := urlOf(a); got != want {
			t.Errorf("%s is %s, want %s", addr, got, want)
		}
	}
}
