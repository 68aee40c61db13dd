package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

// handler is a command's, with its types gone: JSON in, a value out.
type handler func(ctx context.Context, s *Session, data []byte) (any, error)

// Handle registers a command: what clients with ext=1 send as op 100,
// {t: name, d: In, n: nonce}, and are answered with op 101, {n, d: Out} or
// {n, e: {code, message, retry_after?}}. In is decoded as encoding/json does.
// The commands of one session run one at a time, in order. ctx ends with the
// session: a command goes on when its connection is lost, and a client that asks
// again on the next one, with the same name and nonce, is given the reply (the
// last 32 of a session, 64 KB together, are remembered).
//
// Register before serving. Handle panics if the name is taken.
func Handle[In, Out any](g *Gateway, name string, fn func(ctx context.Context, s *Session, in In) (Out, error)) {
	g.handlersMu.Lock()
	defer g.handlersMu.Unlock()
	if _, taken := g.handlers[name]; taken {
		panic("gateway: Handle: command " + name + " is registered twice")
	}
	g.handlers[name] = func(ctx context.Context, s *Session, data []byte) (any, error) {
		var in In
		if err := json.Unmarshal(data, &in); err != nil {
			return nil, &CommandError{Code: "BAD_REQUEST", Message: "d: " + err.Error()}
		}
		return fn(ctx, s, in)
	}
}

func (g *Gateway) handler(name string) handler {
	g.handlersMu.RLock()
	defer g.handlersMu.RUnlock()
	return g.handlers[name]
}

// calls is what the application's calls for a session run in.
type calls struct {
	ctx context.Context // ends with the session
	end context.CancelFunc
}

// context is what the application's calls for the session run in: it ends with
// the session.
func (s *Session) context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.calls == nil {
		s.calls = new(calls)
		s.calls.ctx, s.calls.end = context.WithCancel(s.gw.ctx)
		if s.phase == phaseGone {
			s.calls.end()
		}
	}
	return s.calls.ctx
}

// maxNonce is how long a nonce may be, encoded: it is sent back as it came.
const maxNonce = 128

// command queues op 100.
func (c *conn) command(s *Session, data json.RawMessage) {
	var in struct {
		T string          `json:"t"`
		D json.RawMessage `json:"d"`
		N json.RawMessage `json:"n"`
	}
	if err := json.Unmarshal(orNull(data), &in); err != nil || in.T == "" || len(in.N) > maxNonce {
		c.close(CloseUnknownOpcode, "command: d is not {t, d, n}")
		return
	}
	began := time.Now()
	nonce := orNull(in.N)
	c.enqueue(s, opCommand, func() {
		if s.isLeaving() {
			s.sendReply(c, c.encodeReply(nonce, in.T, nil, errUnavailable))
			return
		}
		data := s.reply(c, in.T, nonce)
		if data == nil {
			out, err := c.run(s, in.T, orNull(in.D))
			data = c.encodeReply(nonce, in.T, out, err)
			s.remember(reply{c.id, in.T, nonce, data})
			c.gw.stats.command(time.Since(began), err)
		}
		s.sendReply(c, data)
	})
}

// reply returns what a command was answered with before; nil if it is new.
func (s *Session) reply(c *conn, name string, nonce []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.replies == nil {
		return nil
	}
	return s.replies.find(c.id, name, nonce)
}

func (s *Session) isLeaving() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.phase.moving()
}

func (s *Session) remember(r reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone {
		return
	}
	if s.replies == nil {
		s.replies = new(replies)
	}
	s.replies.add(r)
}

// sendReply answers on the connection that asked, or on the one that the session
// has by now.
func (s *Session) sendReply(c *conn, data []byte) {
	if c.isClosing() {
		s.mu.Lock()
		c = s.conn
		s.mu.Unlock()
	}
	if c != nil && c.ext {
		c.send(appendMessage(nil, c.form, opReply, data))
	}
}

// run calls a handler; a panic in it is an error and a line in the log.
func (c *conn) run(s *Session, name string, data []byte) (out any, err error) {
	h := c.gw.handler(name)
	if h == nil {
		return nil, &CommandError{Code: "UNKNOWN_COMMAND", Message: fmt.Sprintf("there is no command %q", name)}
	}
	defer func() {
		if v := recover(); v != nil {
			c.gw.log.Error("command handler panicked", "command", name, "user", s.user.ID, "panic", v, "stack", string(debug.Stack()))
			out, err = nil, errPanicked
		}
	}()
	return h(s.context(), s, data)
}

var (
	errPanicked = errors.New("handler panicked")
	// errUnavailable is told while a session is being handed over.
	errUnavailable = &CommandError{Code: "UNAVAILABLE", Message: "the server is restarting: try again after reconnecting", RetryAfter: 1000}
	errInternal    = &CommandError{Code: "INTERNAL", Message: "something went wrong"}
)

// encodeReply is the d of op 101.
func (c *conn) encodeReply(nonce json.RawMessage, name string, out any, err error) []byte {
	var body struct {
		N json.RawMessage `json:"n"`
		D any             `json:"d"`
	}
	var failed struct {
		N json.RawMessage `json:"n"`
		E *CommandError   `json:"e"`
	}
	var data []byte
	if err == nil {
		body.N, body.D = nonce, out
		if data, err = codec.AppendJSON(nil, body); err != nil {
			err = fmt.Errorf("encode the reply: %w", err)
		}
	}
	if err != nil {
		var ce *CommandError
		if !errors.As(err, &ce) {
			ce = errInternal
			if err != errPanicked && c.gw.ctx.Err() == nil {
				c.gw.log.Error("command failed", "command", name, "error", err)
			}
		}
		failed.N, failed.E = nonce, ce
		data, _ = codec.AppendJSON(nil, failed)
	}
	return data
}
