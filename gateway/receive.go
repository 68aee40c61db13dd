package gateway

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

// message handles one inbound message, whose bytes are the reader's again when
// it returns.
func (c *conn) message(binary bool, data []byte) {
	if c.form.msgpack && !binary { // JSON is JSON in a binary frame, too: some libraries send it so
		c.close(CloseDecode, "wrong frame type for this encoding")
		return
	}
	env, err := decodeEnvelope(c.form, data, codec.Limits{})
	if err != nil {
		c.close(CloseDecode, err.Error())
		return
	}
	switch v, wait := c.meter.message(env.op, env.op == opHeartbeat && c.asked.Swap(false), c.gw.now(), &c.gw.limits); v {
	case abusive:
		c.close(CloseRateLimited, "")
		return
	case limited:
		c.tellLimited(env.op, wait)
		return
	}
	c.gw.stats.received.Add(1)
	if env.op != opHeartbeat {
		c.gw.byConn.Touch(c.id)
	}
	c.handle(env)
}

// handle routes a message by its opcode and by how far the connection has come.
func (c *conn) handle(env envelope) {
	switch env.op {
	case opHeartbeat:
		c.heartbeat(env)
		return
	case opIdentify, opResume:
		c.signIn(env)
		return
	case opPresenceUpdate, opVoiceState, opRequestMembers:
	case opCommand:
		if !c.ext {
			c.close(CloseUnknownOpcode, "op 100 is for connections with ext=1")
			return
		}
	default:
		c.close(CloseUnknownOpcode, "")
		return
	}
	s := c.ready()
	if s == nil {
		c.close(CloseNotAuthenticated, "")
		return
	}
	switch env.op {
	case opPresenceUpdate:
		c.presenceUpdate(s, env.data)
	case opVoiceState:
		c.hand(s, env, c.gw.opts.VoiceState)
	case opRequestMembers:
		c.hand(s, env, c.gw.opts.RequestMembers)
	case opCommand:
		c.command(s, env.data)
	}
}

// ready returns the connection's session once it has one.
func (c *conn) ready() *Session {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage != stageReady {
		return nil
	}
	return c.session
}

func orNull(data json.RawMessage) json.RawMessage {
	if len(data) == 0 {
		return json.RawMessage("null")
	}
	return data
}

// tellLimited sends RATE_LIMITED, an ordinary event of the session, for a
// message that is not handled. Without a session there is nobody to tell.
func (c *conn) tellLimited(op opcode, wait time.Duration) {
	s := c.ready()
	if s == nil {
		return
	}
	c.gw.stats.rateLimited.Add(1)
	rec, err := Seal("", Event{Type: "RATE_LIMITED", Data: struct {
		Opcode     opcode   `json:"opcode"`
		RetryAfter float64  `json:"retry_after"` // seconds, as Discord has it
		Meta       struct{} `json:"meta"`
	}{Opcode: op, RetryAfter: wait.Seconds()}})
	if err == nil {
		s.send(rec)
	}
}

// hand gives an operation to the application.
func (c *conn) hand(s *Session, env envelope, to func(context.Context, *Session, []byte) error) {
	if to == nil {
		return
	}
	c.enqueue(s, env.op, func() {
		if err := to(s.context(), s, orNull(env.data)); err != nil {
			c.gw.log.Error("operation failed", "op", int(env.op), "user", s.user.ID, "error", err)
		}
	})
}

// enqueue has the application called for a session: one call at a time, in
// order, never on the reader, so that heartbeats go on.
func (c *conn) enqueue(s *Session, op opcode, job func()) {
	if !c.gw.commands.Go(&s.commands, max(0, c.gw.limits.CommandsWaiting), func() { c.gw.guard(job, nil) }) {
		c.tellLimited(op, time.Second)
	}
}
