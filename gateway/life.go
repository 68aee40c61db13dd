package gateway

import (
	"time"
)

// This file is the life of a session: READY attaches its first connection, the
// end of one detaches it, a resume attaches the next; end.go is how it ends.

// attach makes c the session's first connection. Its first frames go in front
// of whatever the ring holds. The error is why the session gets none, or
// ErrClosed when the connection is no more.
func (s *Session) attach(c *conn, first []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.doomed != nil {
		return s.doomed
	}
	if s.phase == phaseGone || !c.takes(s) {
		return ErrClosed
	}
	c.controlLane().add(first)
	s.conn = c
	s.ring.attach()
	return nil
}

// takes makes s the connection's session, unless it is closing. mu is held.
func (c *conn) takes(s *Session) bool {
	if c.closing || c.dead || c.readDone {
		return false
	}
	c.stage, c.session = stageReady, s
	return true
}

// A session that is taken from a live connection more often than this within
// that time is fought for by two clients.
const (
	mostContests  = 3
	contestWindow = time.Minute
)

// refusedMoving says that another gateway has the session, or will have it.
const refusedMoving = "moving"

// resume attaches a connection that has seen everything up to and with seq, in
// place of the one that the session had, which is closed: what that was still
// to read is in the ring. It returns that one, to be flushed, if any, or why it
// cannot be.
func (s *Session) resume(c *conn, seq uint64) (old *conn, refused string) {
	now := s.gw.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	old = s.conn
	switch {
	case s.phase.moving() || s.saved:
		return nil, refusedMoving
	case s.phase == phaseGone || s.doomed != nil:
		return nil, "ended"
	case old != nil && !old.isClosing():
		if n, _ := s.trouble().contests.add(now, contestWindow); n > mostContests {
			return nil, "contested"
		}
	}
	if !s.ring.resumable(seq) {
		return nil, "sequence"
	}
	c.mu.Lock()
	ok := c.takes(s)
	c.mu.Unlock()
	if !ok {
		return nil, "gone"
	}
	s.ring.resume(seq)
	s.conn, s.dirty = c, false
	s.setDetached(0)
	if old != nil {
		old.latch(&CloseError{Code: CloseReplaced})
	}
	return old, ""
}

// part is called once for every connection of a session, when it has ended.
func (g *Gateway) part(s *Session, c *conn, cause *CloseError) {
	goodbye := cause.ByClient && (cause.Code == closeNormal || cause.Code == closeGoingAway) && !c.wasTold()
	now := g.now()
	s.mu.Lock()
	mine := s.conn == c
	over := s.doomed != nil || mine && (goodbye || g.limits.ResumeWindow < 0)
	if mine && !over {
		over = !s.detach(now)
	}
	s.mu.Unlock()
	if over {
		g.endSession(s)
	} else if mine {
		g.tellPresence(s)
	}
}

// wasTold reports whether the client was sent Reconnect.
func (c *conn) wasTold() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.told
}

// detach leaves the session without a connection, and reports whether it may
// be so: what it holds is within its bounds. mu is held.
func (s *Session) detach(now time.Time) bool {
	s.conn, s.dirty = nil, false
	s.setDetached(now.UnixNano())
	s.ring.detach()
	s.nothingToAwait()
	s.watch(now.Add(s.gw.limits.ResumeWindow))
	return !s.ring.over(&s.gw.bounds)
}

// setDetached notes since when nobody reads. mu is held.
func (s *Session) setDetached(at int64) {
	switch {
	case s.detached == 0 && at != 0:
		s.gw.detached.Add(1)
	case s.detached != 0 && at == 0:
		s.gw.detached.Add(-1)
	}
	s.detached = at
}

// watch has the wheel look at the session. mu is held.
func (s *Session) watch(at time.Time) {
	if s.watched == nil {
		s.watched = new(watched)
		s.watched.session.Store(s)
	}
	s.lane.watch(s.watched, at)
}

// check ends a detached session whose time is over, or returns when to look
// again.
func (s *Session) check(now time.Time) time.Time {
	s.mu.Lock()
	until := time.Unix(0, s.detached).Add(s.gw.limits.ResumeWindow)
	detached, over := s.detached != 0, s.doomed != nil
	if detached && !over {
		then := now.Add(-s.gw.limits.KeptAge).UnixNano()
		s.ring.trimOlder(then)
		unsent := s.ring.oldestUnsent()
		over = !now.Before(until) || unsent != 0 && unsent < then
	}
	s.mu.Unlock()
	switch {
	case over:
		s.gw.endSession(s)
		return time.Time{}
	case !detached:
		return time.Time{}
	}
	return until
}
