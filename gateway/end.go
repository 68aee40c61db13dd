package gateway

// A session ends when its client says goodbye, when its time without a
// connection is over, when it reads too slowly for too long, or when the
// application says so.

// slowness is what is known of a session that reads too slowly.
type slowness struct {
	closes int    // between which nothing was acknowledged
	acked  uint64 // as of the last
	told   int64  // when the application was, Unix nanoseconds
}

// faults are what a session has been in trouble for.
type faults struct {
	slow     slowness
	contests window // connections that took it from a live one
	askedAt  int64  // for a heartbeat, Unix nanoseconds
}

// trouble is the session's faults, none so far maybe. mu is held.
func (s *Session) trouble() *faults {
	if s.faults == nil {
		s.faults = new(faults)
	}
	return s.faults
}

// overflow closes the connection of a session that does not read as fast as it
// is sent to, and returns it to be told so. The session is kept for a resume,
// unless that has not helped before. mu is held.
func (s *Session) overflow() *conn {
	cause := &CloseError{Code: CloseSlowConsumer}
	c := s.conn
	if s.detached != 0 {
		s.gw.stats.droppedRest.Add(uint64(s.ring.unsentLive))
		return s.doom(cause)
	}
	s.gw.stats.slowConsumers.Add(1)
	if c == nil { // READY is still on its way
		return s.doom(cause)
	}
	s.tellSlow(true)
	slow := &s.trouble().slow
	if slow.closes > 0 && slow.acked == s.ring.acked {
		return s.doom(cause)
	}
	slow.closes, slow.acked = slow.closes+1, s.ring.acked
	c.latch(cause)
	if s.gw.limits.ResumeWindow < 0 || !s.detach(s.gw.now()) {
		s.doom(cause)
	}
	s.gw.tellPresence(s)
	return c
}

// doom ends what a session may have: its connection says goodbye, or, if it
// has none yet, the one that comes. The ring's memory is given back. Whoever
// takes the connection down ends the session; without one, the wheel. mu is held.
func (s *Session) doom(cause *CloseError) *conn {
	c := s.conn
	s.conn, s.dirty, s.doomed = nil, false, cause
	s.ring.release()
	s.settle()
	switch {
	case c != nil:
		c.latch(cause)
	case s.detached != 0:
		s.watch(s.gw.now())
	}
	return c
}

// kick closes the session for good.
func (s *Session) kick(reason string) {
	s.mu.Lock()
	c := s.doom(&CloseError{Code: CloseKicked, Reason: reason})
	s.mu.Unlock()
	if c != nil {
		c.flushNow()
	}
}

// end takes the session apart, once: no event is queued afterwards. It reports
// whether this call did it.
func (s *Session) end(saved bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone {
		return false
	}
	s.phase, s.saved = phaseGone, saved && s.doomed == nil
	s.conn = nil
	s.setDetached(0)
	s.ring.release() // again, if it was doomed: an empty one
	s.settle()
	s.replies = nil
	if s.calls != nil {
		s.calls.end()
	}
	if s.watched != nil {
		s.watched.session.Store(nil)
	}
	for _, sub := range s.subs {
		s.gw.topics.leave(sub)
		s.gw.topics.release(sub.topic.name)
	}
	s.subs = nil
	return true
}

// endSession takes a session out of everything, once.
func (g *Gateway) endSession(s *Session) { g.retire(s, false) }

// retire is endSession, or, for one that was saved, leaves it to another
// gateway: its user is not gone and the application not told that it ended.
func (g *Gateway) retire(s *Session, saved bool) {
	if !s.end(saved) {
		return
	}
	g.commands.Drop(&s.commands)
	g.bySession.Remove(s.id)
	s.placement.Release()
	g.tellPresence(s)
	if s.wasSaved() {
		g.stats.saved.Add(1)
		return
	}
	if s.copyAt.Load() != 0 {
		g.copies.end(s.id)
	}
	g.stats.sessionsEnded.Add(1)
	if hook := g.opts.OnSessionEnd; hook != nil {
		g.chore(s, func() { hook(s) })
	}
}
