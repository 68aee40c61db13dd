package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
)

// A session is frozen to be saved: it leaves its topics at a known place of
// each, and when its lane has come to those places, nothing is appended,
// numbered or written any more.

// freezing is how many topics a lane has still to take a session from.
type freezing struct {
	left atomic.Int32
	done chan struct{}
}

func (f *freezing) passed() {
	if f.left.Add(-1) == 0 {
		close(f.done)
	}
}

// departed is called when the lane has come to the end of a subscription.
func (s *Session) departed(sub *subscription) {
	s.mu.Lock()
	defer s.mu.Unlock()
	tr := s.inTransit()
	tr.departing = slices.DeleteFunc(tr.departing, func(d *subscription) bool { return d == sub })
	if tr.freezing != nil {
		tr.freezing.passed()
	}
}

// freeze takes the session from its topics and returns how far it has seen
// each. What was published up to there is in its ring when freeze returns. The
// error is ErrClosed when the session has ended, or the gateway.
func (s *Session) freeze() ([]storedTopic, error) {
	s.mu.Lock()
	if s.deaf() || s.phase == phaseCatchingUp {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	f := &freezing{done: make(chan struct{})}
	tr := s.inTransit()
	f.left.Store(int32(len(s.subs) + len(tr.departing) + 1))
	tr.freezing = f
	topics := make([]storedTopic, len(s.subs))
	for i, sub := range s.subs {
		topics[i] = storedTopic{sub.topic.name, s.gw.topics.freeze(sub, f)}
		s.gw.topics.release(sub.topic.name)
	}
	s.subs = nil
	s.move(phaseLeaving)
	s.mu.Unlock()
	f.passed()
	select {
	case <-f.done: // soon: a lane waits for nobody
	case <-s.gw.ctx.Done():
		return topics, ErrClosed
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.transit.freezing = nil
	if s.deaf() {
		return nil, ErrClosed
	}
	s.move(phaseFrozen)
	return topics, nil
}

// thaw undoes a freeze.
func (s *Session) thaw(ctx context.Context, topics []storedTopic) error {
	if err := s.catchUp(ctx, topics); err != nil {
		return err
	}
	s.mu.Lock()
	c := s.conn
	s.mu.Unlock()
	if c != nil {
		c.flushNow()
	}
	return nil
}

// errNotThawed says that a session cannot go on after a failed save.
var errNotThawed = errors.New("gateway: a session could not be taken up again")

// save freezes the session and puts it into the store. After an error it goes
// on as before, which has the time of thawing, unless it has ended (ErrClosed) or
// that cannot be (errNotThawed).
func (g *Gateway) save(ctx, thawing context.Context, s *Session) error {
	topics, err := s.freeze()
	if err != nil {
		return err
	}
	rec, err := s.record(topics)
	if err == nil {
		err = g.copies.settle(ctx)
	}
	if err == nil {
		if err = g.opts.Sessions.Save(ctx, g.lease.node, rec); err == nil {
			return nil
		}
		err = errors.Join(err, g.takeBack(rec))
	}
	err = fmt.Errorf("save a session: %w", err)
	if again := s.thaw(thawing, topics); again != nil {
		return errors.Join(err, errNotThawed, again)
	}
	s.copyAt.Store(copySoon)
	g.copies.change(s)
	return err
}

// record is the frozen session as the store keeps it.
func (s *Session) record(topics []storedTopic) (StoredSession, error) {
	s.mu.Lock()
	st := s.snapshot()
	st.addEvents(s)
	since := time.Now()
	if s.detached != 0 {
		since = time.Unix(0, s.detached+s.gw.drift())
	}
	s.mu.Unlock()
	st.Topics = topics
	return s.encode(st, since.Add(s.gw.limits.ResumeWindow))
}

// takeBackWithin is how long a store has to take note that it has not got a session.
const takeBackWithin = time.Second

// takeBack has this node have a record again which a Save that failed may have left
// for anybody: the session goes on here, and there must not be two of it. It is not
// deleted: who asks meanwhile is to learn whose it is.
func (g *Gateway) takeBack(rec StoredSession) error {
	ctx, cancel := context.WithTimeout(g.ctx, takeBackWithin)
	defer cancel()
	rec.Node = g.lease.node
	return g.opts.Sessions.Save(ctx, g.lease.node, rec)
}
