package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"
)

// client speaks the gateway's protocol, as the page does. It is for one goroutine.
type client struct {
	ws     *websocket.Conn
	n      int
	events []sent // of MESSAGE_CREATE, that came while something else was waited for
}

type sent struct{ ID, Content, Nonce string }

type frame struct {
	Op int             `json:"op"`
	T  string          `json:"t"`
	D  json.RawMessage `json:"d"`
}

// join signs in.
func join(ctx context.Context, url, name string) (*client, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, "ws"+strings.TrimPrefix(url, "http")+"/gateway/?v=10&encoding=json&ext=1", nil)
	if err != nil {
		return nil, err
	}
	ws.SetReadLimit(-1)
	c := &client{ws: ws}
	if err := wsjson.Write(ctx, ws, map[string]any{"op": 2, "d": map[string]any{"token": name, "intents": 53608447}}); err != nil {
		return nil, err
	}
	for {
		if f, err := c.read(ctx); err != nil || f.T == "GUILD_CREATE" {
			return c, err
		}
	}
}

// mustJoin is join for a test's own goroutine; the client ends with the test.
func mustJoin(t *testing.T, url, name string) *client {
	t.Helper()
	c, err := join(t.Context(), url, name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.ws.CloseNow() })
	return c
}

func (c *client) read(ctx context.Context) (f frame, err error) {
	if err = wsjson.Read(ctx, c.ws, &f); err != nil {
		return f, err
	}
	if f.T == "MESSAGE_CREATE" {
		var m sent
		if err := json.Unmarshal(f.D, &m); err != nil {
			return f, err
		}
		c.events = append(c.events, m)
	}
	return f, nil
}

// call runs a command. The error is its answer's, or that of the connection.
func (c *client) call(ctx context.Context, name string, in, out any) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	c.n++
	err := wsjson.Write(ctx, c.ws, map[string]any{"op": 100, "d": map[string]any{"t": name, "d": in, "n": c.n}})
	for err == nil {
		f, readErr := c.read(ctx)
		if err = readErr; err != nil || f.Op != 101 {
			continue
		}
		var answer struct {
			N int
			D json.RawMessage
			E *struct{ Code, Message string }
		}
		if err = json.Unmarshal(f.D, &answer); err != nil || answer.N != c.n {
			continue
		}
		if answer.E != nil {
			return answered(answer.E.Code)
		}
		if out == nil {
			return nil
		}
		return json.Unmarshal(answer.D, out)
	}
	return err
}

// answered is the error of a server that answers.
type answered string

func (a answered) Error() string { return "the answer is " + string(a) }

// say sends a message to #general as the page does: once, however often it is tried.
func (c *client) say(ctx context.Context, content string) (m sent, err error) {
	return m, c.call(ctx, "SEND_MESSAGE", map[string]any{"channel_id": "2", "content": content, "nonce": content, "enforce_nonce": true}, &m)
}

// hears waits for a message, however long ago it came.
func (c *client) hears(t *testing.T, content string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for {
		for _, m := range c.events {
			if m.Content == content {
				return
			}
		}
		if _, err := c.read(ctx); err != nil {
			t.Fatalf("%q was not told: %v", content, err)
		}
	}
}

// found is how many messages have the words, and how long it took until they were as many as wanted: a second at most.
func (c *client) finds(t *testing.T, words string, want int) time.Duration {
	t.Helper()
	return eventually(t, fmt.Sprintf("%d messages with %q", want, words), time.Second, func() bool {
		var out struct{ Messages []sent }
		if err := c.call(t.Context(), "SEARCH", map[string]any{"text": words}, &out); err != nil {
			t.Fatal(err)
		}
		return len(out.Messages) == want
	})
}

// history is all that was said in #general, oldest first.
func (c *client) history(t *testing.T) (contents []string) {
	t.Helper()
	for before := ""; ; {
		var page struct {
			Messages []sent
			More     bool
		}
		in := map[string]any{"channel_id": "2", "limit": 100}
		if before != "" {
			in["before"] = before
		}
		if err := c.call(t.Context(), "HISTORY", in, &page); err != nil {
			t.Fatal(err)
		}
		var some []string
		for _, m := range page.Messages {
			some = append(some, m.Content)
		}
		contents = append(some, contents...)
		if !page.More {
			return contents
		}
		before = page.Messages[0].ID
	}
}
