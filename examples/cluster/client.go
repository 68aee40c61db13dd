package main

import (
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// client is a demo client. It stays connected, and resumes its session wherever it
// lands.
type client struct {
	name      string
	url       string
	positions bool         // it keeps the places of events, and says them when it resumes
	http      *http.Client // what it dials with; nil: the default

	mu      sync.Mutex
	node    int                // where it is; 0: nowhere
	cut     context.CancelFunc // loses the connection; nil: there never was one
	session string
	seq     uint64
	places  map[string]string // the newest of each tag
	seen    *tally
	signed  int // times that a session began
	lostAt  time.Time
	drops   []time.Time     // when connections ended that had a session
	resumes []time.Duration // from the end of a connection to RESUMED on another
}

func newClient(url, name string, positions bool) *client {
	return &client{name: name, url: url, positions: positions, places: make(map[string]string), seen: newTally()}
}

// envelope is what both sides send.
type envelope struct {
	Op int             `json:"op"`
	S  *uint64         `json:"s,omitempty"`
	T  string          `json:"t,omitempty"`
	P  string          `json:"p,omitempty"`
	D  json.RawMessage `json:"d"`
}

const (
	retryFirst  = 100 * time.Millisecond
	retryAtMost = 2 * time.Second
)

// run keeps the client connected until ctx ends.
func (c *client) run(ctx context.Context) {
	for wait := retryFirst; ctx.Err() == nil; {
		if c.visit(ctx) {
			wait = retryFirst
		}
		select {
		case <-time.After(wait/2 + rand.N(wait/2)):
		case <-ctx.Done():
		}
		wait = min(2*wait, retryAtMost)
	}
}

// visit is one connection. It reports whether the session went on.
func (c *client) visit(ctx context.Context) (lived bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	url := c.url + "?v=10&encoding=json&user=" + c.name
	if c.positions {
		url += "&positions=1"
	}
	dialling, done := context.WithTimeout(ctx, 10*time.Second)
	ws, resp, err := websocket.Dial(dialling, url, &websocket.DialOptions{HTTPClient: c.http})
	done()
	if err != nil {
		return false
	}
	defer ws.CloseNow()
	ws.SetReadLimit(1 << 20)
	c.mu.Lock()
	c.cut = cancel
	c.mu.Unlock()
	node, _ := strconv.Atoi(resp.Header.Get(headerNode))
	defer func() { c.left(lived) }()
	var beats sync.WaitGroup
	defer beats.Wait()
	defer cancel()
	for {
		_, data, err := ws.Read(ctx)
		if err != nil {
			return lived
		}
		var in envelope
		if json.Unmarshal(data, &in) != nil {
			return lived
		}
		switch in.Op {
		case 0:
			lived = c.dispatch(node, in) || lived
		case 1:
			c.beat(ctx, ws)
		case 7: // Reconnect: with a code that keeps the session
			ws.Close(4000, "")
			return lived
		case 9: // Invalid Session: another one, on the same connection
			c.forget()
			select {
			case <-time.After(time.Second + rand.N(4*time.Second)): // as the protocol asks
			case <-ctx.Done():
			}
			c.send(ctx, ws, c.signIn())
		case 10:
			var hello struct {
				Interval int `json:"heartbeat_interval"`
			}
			json.Unmarshal(in.D, &hello)
			beats.Go(func() { c.beatOn(ctx, ws, time.Duration(max(hello.Interval, 1000))*time.Millisecond) })
			c.send(ctx, ws, c.signIn())
		}
	}
}

// dispatch handles an event. It reports whether the session is there with it.
func (c *client) dispatch(node int, in envelope) (signedIn bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if in.S != nil {
		c.seq = *in.S
	}
	if tag, _, ok := strings.Cut(in.P, ":"); ok {
		c.places[tag] = in.P
	}
	switch in.T {
	case "READY":
		var ready struct {
			Session string `json:"session_id"`
		}
		json.Unmarshal(in.D, &ready)
		c.session, c.node = ready.Session, node
		c.seen.begin()
		if c.signed++; c.signed > 1 {
			c.seen.told++
		}
		return true
	case "RESUMED":
		c.node = node
		c.resumes = append(c.resumes, time.Since(c.lostAt))
		return true
	case "MESSAGE":
		var m message
		if json.Unmarshal(in.D, &m) == nil {
			c.seen.saw(m)
		}
	}
	return false
}

// signIn is what a client says first: Resume, or Identify.
func (c *client) signIn() any {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == "" {
		return map[string]any{"op": 2, "d": map[string]any{"token": c.name, "intents": 0, "properties": map[string]string{}}}
	}
	d := map[string]any{"token": c.name, "session_id": c.session, "seq": c.seq}
	if c.positions {
		d["p"] = slices.Sorted(maps.Values(c.places))
	}
	return map[string]any{"op": 6, "d": d}
}

// forget forgets the session.
func (c *client) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.session, c.seq = "", 0
	clear(c.places)
}

// left notes that a connection has ended.
func (c *client) left(lived bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.node = 0
	if lived {
		c.lostAt = time.Now()
		c.drops = append(c.drops, c.lostAt)
	}
}

// at returns where the client is; 0: nowhere.
func (c *client) at() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.node
}

// drop loses the connection, without a word.
func (c *client) drop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cut != nil {
		c.node = 0
		c.cut()
	}
}

// beatOn sends heartbeats until the connection ends.
func (c *client) beatOn(ctx context.Context, ws *websocket.Conn, every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.beat(ctx, ws)
		case <-ctx.Done():
			return
		}
	}
}

func (c *client) beat(ctx context.Context, ws *websocket.Conn) {
	c.mu.Lock()
	seq := c.seq
	c.mu.Unlock()
	c.send(ctx, ws, map[string]any{"op": 1, "d": seq})
}

// send sends. What goes wrong ends the connection, which who reads finds out.
func (c *client) send(ctx context.Context, ws *websocket.Conn, m any) {
	if data, err := json.Marshal(m); err == nil {
		ws.Write(ctx, websocket.MessageText, data)
	}
}
