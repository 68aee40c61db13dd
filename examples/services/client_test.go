package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// client is somebody at the gateway, as the page is.
type client struct {
	ws *websocket.Conn

	mu      sync.Mutex
	heard   []heard
	answers map[int]chan json.RawMessage // of commands, by their nonces
	asked   int
	acks    chan struct{} // of heartbeats
	over    chan struct{} // closed when the connection is
}

type heard struct {
	ID, Author, Content string
	at                  time.Time
}

type frame struct {
	Op int             `json:"op"`
	T  string          `json:"t,omitempty"`
	D  json.RawMessage `json:"d"`
}

// join signs in, and returns when the gateway says READY.
func join(ctx context.Context, url, name string) (*client, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/gateway?v=10&encoding=json&ext=1", nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	if err := wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": name, "intents": 53608447}}); err != nil {
		ws.CloseNow()
		return nil, err
	}
	for {
		var f frame
		if err := wsjson.Read(ctx, ws, &f); err != nil {
			ws.CloseNow()
			return nil, err
		}
		if f.T == "READY" {
			break
		}
	}
	c := &client{ws: ws, answers: make(map[int]chan json.RawMessage), acks: make(chan struct{}, 1), over: make(chan struct{})}
	go c.listen()
	return c, nil
}

func (c *client) listen() {
	defer close(c.over)
	for {
		var f frame
		if wsjson.Read(context.Background(), c.ws, &f) != nil {
			return
		}
		switch {
		case f.T == "MESSAGE_CREATE":
			m := heard{at: time.Now()}
			if json.Unmarshal(f.D, &m) == nil {
				c.mu.Lock()
				c.heard = append(c.heard, m)
				c.mu.Unlock()
			}
		case f.Op == 11:
			c.acks <- struct{}{}
		case f.Op == 101:
			var nonce struct{ N int }
			json.Unmarshal(f.D, &nonce)
			c.mu.Lock()
			answer := c.answers[nonce.N]
			delete(c.answers, nonce.N)
			c.mu.Unlock()
			if answer != nil {
				answer <- f.D
			}
		}
	}
}

// say says something under a nonce that is its text, and returns when that is queued.
func (c *client) say(ctx context.Context, content string) error {
	c.mu.Lock()
	c.asked++
	n, answer := c.asked, make(chan json.RawMessage, 1)
	c.answers[n] = answer
	c.mu.Unlock()
	err := wsjson.Write(ctx, c.ws, map[string]any{"op": 100, "d": map[string]any{
		"t": "SEND", "n": n, "d": saying{Content: content, Nonce: content},
	}})
	if err != nil {
		return err
	}
	select {
	case data := <-answer:
		var a struct {
			E *struct{ Code, Message string }
		}
		if err := json.Unmarshal(data, &a); err != nil {
			return err
		}
		if a.E != nil {
			return fmt.Errorf("%s: %s", a.E.Code, a.E.Message)
		}
		return nil
	case <-c.over:
		return errNotRunning
	case <-ctx.Done():
		return ctx.Err()
	}
}

// beat is a heartbeat, there and back.
func (c *client) beat(ctx context.Context) error {
	if err := wsjson.Write(ctx, c.ws, map[string]any{"op": 1, "d": nil}); err != nil {
		return err
	}
	select {
	case <-c.acks:
		return nil
	case <-c.over:
		return errNotRunning
	}
}

// hears returns when something was heard, and the zero value if it was not.
func (c *client) hears(content string) (when time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, m := range c.heard {
		if m.Content == content {
			return m.at
		}
	}
	return time.Time{}
}

// leave signs out: a connection that is closed with this code ends its session.
func (c *client) leave() {
	c.ws.Close(websocket.StatusNormalClosure, "")
	<-c.over
}
