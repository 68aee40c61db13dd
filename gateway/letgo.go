package gateway

import (
	"cmp"
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

const (
	// ackWithin is how long a session that is let go of is waited for to say what
	// it has seen: what it says need not be saved.
	ackWithin = time.Second
	// hintWithin bounds the random time after which a client is to come back.
	hintWithin = time.Second
)

// letGo has a session finish its commands, saves it and sends its client
// elsewhere when it is its turn, or waits until another call has. Whatever is not
// done when ctx ends is not.
func (g *Gateway) letGo(ctx context.Context, s *Session, p *pace) {
	if !s.takeHold(ctx) {
		return
	}
	defer s.loosen(true)
	saved := false
	if g.opts.Sessions == nil {
		g.finishCommands(ctx, s)
	} else {
		s.awaitAck(ctx)
		saved = g.saveUntilDone(ctx, s)
	}
	p.turn(ctx)
	g.sendAway(s, saved, "")
}

// takeHold has the caller be the one who lets go of the session, until loosen.
// It reports false when somebody else did, or ctx ends before they have.
func (s *Session) takeHold(ctx context.Context) bool {
	for {
		s.mu.Lock()
		tr := s.inTransit()
		if tr.going == nil {
			tr.going = make(chan struct{})
			s.mu.Unlock()
			return true
		}
		going, done := tr.going, tr.gone
		s.mu.Unlock()
		if done {
			return false
		}
		select {
		case <-going:
		case <-ctx.Done():
			return false
		}
	}
}

// loosen ends a hold, once: the session was let go of, or it stays and somebody
// else may take hold of it.
func (s *Session) loosen(gone bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.transit.going)
	if s.transit.gone = gone; !gone {
		s.transit.going = nil
	}
}

// sendAway ends the session here, which was saved or is lost, and sends its
// client to url, or, if that is empty, to where it is to resume.
func (g *Gateway) sendAway(s *Session, saved bool, url string) {
	s.mu.Lock()
	c, answered := s.conn, s.ring.answered()
	s.mu.Unlock()
	if c != nil {
		if !saved && g.opts.Sessions != nil {
			c.send(appendMessage(nil, c.form, opInvalidSession, []byte("false")))
		}
		if answered {
			c.sayRestart(g.reconnectHint(c, cmp.Or(url, s.resumeURL(c))))
		} else {
			c.close(CloseRestart, "") // discordgo takes no Reconnect before RESUMED
		}
	}
	g.retire(s, saved)
	if saved && !s.wasSaved() {
		g.forgetSaved(s)
	}
}

// finishCommands has what was taken of a session's commands done, and answers
// those that come later UNAVAILABLE. It reports false when ctx or the session
// ends first; the session then goes on as before.
func (g *Gateway) finishCommands(ctx context.Context, s *Session) bool {
	finished := make(chan struct{})
	left, leaves := false, true // guarded by s.mu: it is leaving; it is still to
	g.commands.Go(&s.commands, 0, func() {
		s.mu.Lock()
		if leaves {
			s.move(phaseLeaving)
			left = true
		}
		s.mu.Unlock()
		close(finished)
	})
	select {
	case <-finished:
		return true
	case <-s.context().Done():
	case <-ctx.Done():
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	leaves = false
	return left && s.phase == phaseLeaving
}

// forgetSaved takes a session out of the store that ended while it was saved:
// its client said goodbye, or the application removed it.
func (g *Gateway) forgetSaved(s *Session) {
	ctx, cancel := context.WithTimeout(g.ctx, goodbyeWithin)
	defer cancel()
	if err := g.opts.Sessions.Delete(ctx, g.lease.node, s.id); err != nil {
		g.log.Error("a session that has ended is still in the store", "user", s.user.ID, "error", err)
	}
}

// saveUntilDone saves a session, trying again while ctx lasts and the session
// can go on in between, and reports whether it did.
func (g *Gateway) saveUntilDone(ctx context.Context, s *Session) bool {
	wait := 50 * time.Millisecond
	for g.finishCommands(ctx, s) {
		err := g.save(ctx, ctx, s)
		if err == nil {
			return true
		}
		if s.isGone() {
			return false
		}
		g.log.Warn("a session was not saved", "user", s.user.ID, "error", err)
		if errors.Is(err, errNotThawed) {
			return false
		}
		select {
		case <-time.After(wait):
			wait = min(2*wait, time.Second)
		case <-ctx.Done():
			return false
		}
	}
	return false
}

// awaitAck asks a client what it has seen and waits for the answer, a little.
func (s *Session) awaitAck(ctx context.Context) {
	s.mu.Lock()
	c := s.conn
	if c == nil || s.ring.head == s.ring.sent {
		s.mu.Unlock()
		return
	}
	tr := s.inTransit()
	if tr.acked == nil {
		tr.acked = make(chan struct{})
	}
	acked := tr.acked
	s.mu.Unlock()
	c.ask()
	within := ackWithin
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline)/4)
	}
	timer := time.NewTimer(within)
	defer timer.Stop()
	select {
	case <-acked:
	case <-timer.C:
	}
}

// resumeURL is where the session's client, which has come by c, is to come back to.
func (s *Session) resumeURL(c *conn) string {
	if f := c.gw.opts.ResumeURL; f != nil {
		return cmp.Or(f(s), c.info.URL)
	}
	return c.info.URL
}

// reconnectHint is the d of op 7: when to come back, for those who asked for
// the extensions; at random, so that not all come at once; and where to.
func (g *Gateway) reconnectHint(c *conn, url string) []byte {
	if !c.ext {
		return nil
	}
	hint, _ := codec.AppendJSON(nil, map[string]any{
		"retry_after": rand.Int64N(hintWithin.Milliseconds()),
		"url":         url,
	})
	return hint
}
