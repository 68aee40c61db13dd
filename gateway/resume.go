package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"time"
)

// resume handles op 6: the client goes on with a session that it had on
// another connection. Whatever stands in the way is answered with Invalid
// Session, false, on a connection that stays open for an Identify; only a
// refused token is closed.
func (c *conn) resume(data json.RawMessage) {
	var in struct {
		Token     string   `json:"token"`
		SessionID string   `json:"session_id"`
		Seq       *number  `json:"seq"`
		Places    []string `json:"p"`
	}
	if err := json.Unmarshal(orNull(data), &in); err != nil {
		c.close(CloseUnknownOpcode, "resume: bad payload")
		return
	}
	var seq uint64
	if in.Seq != nil {
		var ok bool
		if seq, ok = in.Seq.integer(); !ok {
			c.invalidSession("sequence")
			return
		}
	}
	if c.gw.find(in.SessionID) == nil && (c.gw.opts.Sessions == nil || !isSessionID(in.SessionID)) {
		c.invalidSession("unknown") // nobody need be asked who this is, and no store for what is no id
		return
	}
	if !c.gw.mayResume() {
		c.busy()
		return
	}
	c.signInBy(c.gw.resumes, c.busy, func(ctx context.Context) { c.takeUp(ctx, cutScheme(in.Token), in.SessionID, seen{seq, in.Places}) })
}

// takeUp asks the application who this is, and attaches the connection to the
// session. It runs on a goroutine of the resume runner.
func (c *conn) takeUp(ctx context.Context, token, id string, seen seen) {
	user, err := c.gw.authenticate(ctx, Identify{Token: token, Resume: true, Conn: *c.info})
	if err != nil {
		c.closeFor(err)
		return
	}
	s := c.gw.find(id)
	if s == nil && c.gw.opts.Sessions != nil {
		if s, err = c.gw.load(ctx, id, user, seen); err != nil {
			c.cannotResume(err)
			return
		}
	}
	switch {
	case s == nil:
		c.invalidSession("unknown")
		return
	case s.user.ID != user.ID:
		c.invalidSession("user")
		return
	}
	if hook := c.gw.opts.Resume; hook != nil {
		if err := hook(ctx, s); err != nil {
			c.cannotResume(err)
			return
		}
	}
	old, refused := s.resume(c, seen.seq)
	switch refused {
	case "":
	case refusedMoving:
		c.busy()
		return
	default:
		c.invalidSession(refused)
		return
	}
	if old != nil {
		old.flushNow()
	}
	c.gw.stats.resumed.Add(1)
	c.gw.tellPresence(s)
	c.flushNow()
}

// cannotResume answers a resume that failed: the application may choose a code.
func (c *conn) cannotResume(err error) {
	var ce *CloseError
	var taken *TakenError
	switch {
	case errors.As(err, &ce):
		c.close(ce.Code, ce.Reason)
	case errors.Is(err, ErrUnauthorized):
		c.close(CloseAuthFailed, "")
	case errors.Is(err, ErrNoSession):
		c.invalidSession("unknown")
	case errors.Is(err, errForeignSession):
		c.invalidSession("user")
	case errors.Is(err, ErrVersion):
		c.invalidSession("version")
	case errors.Is(err, errSequence):
		c.invalidSession("sequence")
	case errors.Is(err, ErrGap):
		c.invalidSession("gap")
	case errors.Is(err, ErrClosed):
		c.busy()
	case errors.As(err, &taken): // and its node does not answer: each client of a dead one, until its lease is over
		c.gw.log.Debug("a session is another node's, which does not answer", "node", taken.Node)
		c.busy()
	default:
		if !c.isGone() {
			c.gw.log.Warn("a session could not be resumed", "addr", c.info.Addr, "error", err)
		}
		c.busy()
	}
}

// busy sends a client away that may come again with the same session.
func (c *conn) busy() { c.close(CloseRestart, "try again") }

// invalidSession answers a resume, or an Identify that cannot be served now.
// The connection is as after Hello.
func (c *conn) invalidSession(why string) {
	deadline := c.gw.identifyDeadline(c.gw.now())
	c.mu.Lock()
	c.stage = stageHello
	if !c.closing {
		c.deadline = deadline
	}
	c.mu.Unlock()
	if deadline > 0 {
		c.lane.watch(c.watched, time.Unix(0, deadline))
	}
	c.gw.stats.refuseResume(why)
	c.send(appendMessage(nil, c.form, opInvalidSession, []byte("false")))
}
