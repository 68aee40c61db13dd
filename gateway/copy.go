package gateway

import (
	"errors"
	"slices"
	"time"
)

// A copy of a session is its record as of a moment: without its events, which
// the broker's history has, but with a place of each topic so far back that all
// that its client may not have seen is behind it. Events of topics that the
// session has left since are in the copy themselves; those that were sent to it
// alone are not.

// copying is a session of which a copy is made.
type copying struct {
	session *Session
	subs    []*subscription
	places  []Position // of subs; everything up to there is in the ring, or was
}

// copy makes copies of sessions, and returns those of which it did.
func (g *Gateway) copy(sessions []*Session) (records []StoredSession, of []*Session) {
	all := make([]copying, 0, len(sessions))
	passed := &freezing{done: make(chan struct{})}
	passed.left.Store(1)
	for _, s := range sessions {
		if c, ok := s.beginCopy(passed); ok {
			all = append(all, c)
		}
	}
	passed.passed()
	select {
	case <-passed.done: // soon: a lane waits for nobody
	case <-g.ctx.Done():
		return nil, nil
	}
	for _, c := range all {
		if rec, ok := c.finish(); ok {
			records, of = append(records, rec), append(of, c.session)
		}
	}
	return records, of
}

// beginCopy notes how far the session's topics are. passed is told when its lane
// has come so far.
func (s *Session) beginCopy(passed *freezing) (copying, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.mayBeCopied() {
		return copying{}, false
	}
	c := copying{session: s, subs: make([]*subscription, len(s.subs)), places: make([]Position, len(s.subs))}
	for i, sub := range s.subs {
		c.subs[i], c.places[i] = sub, s.gw.topics.place(sub, passed)
	}
	if tr := s.transit; tr != nil {
		for _, sub := range tr.departing {
			s.gw.topics.place(sub, passed) // its last events are to be in the ring
		}
	}
	return c, true
}

// mayBeCopied reports whether the session is one that its client can resume, or is
// about to be. mu is held.
func (s *Session) mayBeCopied() bool {
	return s.phase == phaseOpen && s.doomed == nil && s.copyAt.Load() != 0
}

// finish makes the copy. It reports false when there is none, as for a session
// that another node is to have.
func (c *copying) finish() (StoredSession, bool) {
	s := c.session
	s.mu.Lock()
	if !s.mayBeCopied() {
		s.mu.Unlock()
		return StoredSession{}, false
	}
	st := s.snapshot()
	type reach struct {
		sub *subscription
		at  *Position
	}
	reaches := make(map[string]reach, len(c.subs))
	for i, sub := range c.subs {
		if k := s.subscription(sub.topic.name); k >= 0 && s.subs[k] == sub { // else it was left meanwhile
			reaches[sub.topic.name] = reach{sub, &c.places[i]}
		}
	}
	seq, drift := s.ring.acked, s.gw.drift()
	for p := range s.ring.all() { // which the client may not have seen
		r, ok := reaches[p.Topic]
		switch ok = ok && p.Position.Epoch == r.at.Epoch && p.Position.Offset > r.sub.after; {
		case ok:
			r.at.Offset = min(r.at.Offset, p.Position.Offset-1)
		case !p.Position.IsZero():
			ev := p.stored(drift)
			if seq < s.ring.numbered() {
				ev.Seq = seq
			}
			st.Events = append(st.Events, ev)
		}
		seq++
	}
	expires := time.Now().Add(2*s.gw.limits.Checkpoint + s.gw.limits.ResumeWindow)
	if s.detached != 0 {
		expires = time.Unix(0, s.detached+s.gw.drift()).Add(s.gw.limits.ResumeWindow)
	}
	s.mu.Unlock()
	for name, r := range reaches {
		st.Topics = append(st.Topics, storedTopic{name, *r.at})
	}
	st.copy = true
	rec, err := s.encode(st, expires)
	rec.Node = s.gw.lease.node
	return rec, err == nil
}

// place returns how far a subscription's topic has been delivered. passed is told
// when its lane has offered all that.
func (ts *topics) place(sub *subscription, passed *freezing) Position {
	l, t := sub.session.lane, sub.topic
	st := ts.stripe(t.name)
	st.mu.Lock()
	defer st.mu.Unlock()
	l.mark(t.name, passed)
	return t.last
}

// mark has passed told when the lane has done what waits of a topic.
func (l *lane) mark(topic string, passed *freezing) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if t := l.topics[topic]; t != nil && t.waiting {
		passed.left.Add(1)
		t.fifo = append(t.fifo, entry{freeze: passed})
	}
}

// copySoon is a session's copyAt when its copy is due at once.
const copySoon = 1

// lacksCopy reports whether the session is to have a copy, and none was saved in time.
func (s *Session) lacksCopy() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mayBeCopied() && s.copyAt.Load() == copySoon
}

// copyDue reports whether the session's copy is too old.
func (s *Session) copyDue(now time.Time) bool {
	at := s.copyAt.Load()
	return at != 0 && now.UnixNano() >= at
}

// copied notes that the copy is as of now.
func (s *Session) copied(now time.Time) {
	s.copyAt.Store(now.Add(s.gw.limits.Checkpoint).UnixNano())
}

// recover makes the copy a record for a client that has seen so much: it goes on
// with the client's sequence, and what is behind the copy's places is read again,
// but for what the client says that it has seen.
func (st *stored) recover(client seen) error {
	next := max(client.seq, firstSequence-1) + 1
	if next < st.Acked || next > maxStoredSequence {
		return errSequence
	}
	st.Acked = next
	seen := readPlaces(client.places)
	st.Events = slices.DeleteFunc(st.Events, func(ev storedEvent) bool {
		return ev.Seq != 0 && ev.Seq < next || ev.Position != nil && seen.has(ev.Topic, *ev.Position)
	})
	for i := range st.Topics {
		t := &st.Topics[i]
		t.At = seen.behind(t.Name, t.At)
	}
	return nil
}

// errSequence says that a client has not seen what its session's copy is behind.
var errSequence = errors.New("gateway: the client is behind its session's copy")
