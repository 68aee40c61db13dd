package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"
)

// loads are the sessions that are being taken from the store: who asks for one
// of them waits for it. The zero value is ready to use.
type loads struct {
	mu   sync.Mutex
	byID map[string]chan struct{}
}

// begin returns nil when the caller is to load the session, else what is closed
// when somebody has tried.
func (l *loads) begin(id string) <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	if busy, ok := l.byID[id]; ok {
		return busy
	}
	if l.byID == nil {
		l.byID = make(map[string]chan struct{})
	}
	l.byID[id] = make(chan struct{})
	return nil
}

// has reports whether somebody loads a session.
func (l *loads) has(id string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.byID[id] != nil
}

func (l *loads) end(id string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.byID[id])
	delete(l.byID, id)
}

// loadWithin is how long a session may take from the store to where it can be
// resumed, whatever becomes of the connection that asked for it.
const loadWithin = 30 * time.Second

// load takes a user's session from the store and has it catch up with the
// broker's history. It is a detached session of this gateway then. The error
// is ErrNoSession when there is none of that user, ErrGap when the history does
// not reach back far enough: the session is lost, and its client to be told.
func (g *Gateway) load(ctx context.Context, id string, user User, seen seen) (*Session, error) {
	for {
		busy := g.loads.begin(id)
		if busy == nil {
			break
		}
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if s := g.find(id); s != nil {
			return s, nil
		}
	}
	defer g.loads.end(id)
	if s := g.find(id); s != nil {
		return s, nil
	}
	ctx, cancel := context.WithTimeout(g.ctx, loadWithin)
	defer cancel()
	rec, err := g.take(ctx, id, user.ID)
	if errors.Is(err, ErrVersion) {
		g.log.Error("a session was lost: the store does not understand its record", "user", user.ID, "error", err)
	}
	if err != nil {
		return nil, fmt.Errorf("take a session from the store: %w", err)
	}
	s, err := g.revive(ctx, rec, user, seen)
	switch {
	case err == nil:
	case errors.Is(err, ErrGap), errors.Is(err, errSequence):
		g.copies.end(id)
	case errors.Is(err, ErrVersion):
		g.copies.end(id)
		g.log.Error("a session was lost: its record is not understood", "user", rec.User, "error", err)
	default: // somebody else may have more luck with it
		rec.Node = ""
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), loadWithin)
		defer cancel()
		if back := g.opts.Sessions.Save(ctx, g.lease.node, rec); back != nil {
			g.log.Error("a session was lost: the store did not take it back", "user", rec.User, "error", back)
		}
	}
	return s, err
}

// revive makes a session of a record. After an error nothing is left of it.
func (g *Gateway) revive(ctx context.Context, rec StoredSession, user User, seen seen) (*Session, error) {
	if rec.User != user.ID {
		return nil, errForeignSession
	}
	st, err := decodeStored(rec)
	if err != nil {
		return nil, err
	}
	if st.copy {
		if err := st.recover(seen); err != nil {
			return nil, err
		}
	}
	s := g.restore(rec.ID, user, st)
	err = s.catchUp(ctx, st.Topics)
	if err == nil {
		err = g.enter(s)
	}
	if err != nil {
		s.end(false)
		return nil, err
	}
	s.copyAt.Store(copySoon) // the store has its record still
	s.mu.Lock()
	s.watch(g.now().Add(g.limits.ResumeWindow))
	s.mu.Unlock()
	g.copies.change(s)
	return s, nil
}

var errForeignSession = errors.New("gateway: the session is another user's")

// offered is what a lane offered to a session that was catching up.
type offered struct {
	sub *subscription // nil: to the session alone
	run []*published
}

// unseen returns what of a run of events has not been read from the history.
// The session's mu is held.
func (sub *subscription) unseen(run []*published) []*published {
	if sub == nil || !sub.catching {
		return run
	}
	for i, p := range run {
		if p.Position.Offset > sub.after {
			sub.catching = false
			return run[i:]
		}
	}
	return nil
}

// catchUp subscribes a session to topics as if it had never left them: what was
// published behind their positions is appended, then what comes now. Whatever
// the lanes offer meanwhile waits in the session's stash.
func (s *Session) catchUp(ctx context.Context, topics []storedTopic) error {
	s.mu.Lock()
	s.move(phaseCatchingUp)
	tr := s.inTransit()
	s.mu.Unlock()
	from := make(map[string]Position, len(topics))
	subs := make(map[string]*subscription, len(topics)) // some may be over by the time that the history is read
	oldest := make(map[uint32]Position)                 // per partition, where to read from
	for _, t := range topics {
		sub, err := s.join(ctx, t.Name, true)
		if err != nil {
			return fmt.Errorf("subscribe to %q: %w", t.Name, err)
		}
		if t.At.IsZero() {
			return fmt.Errorf("topic %q has no position: %w", t.Name, ErrGap)
		}
		from[t.Name], subs[t.Name] = t.At, sub
		if o, ok := oldest[t.At.Partition]; !ok || t.At.Offset < o.Offset {
			oldest[t.At.Partition] = t.At
		}
	}
	var missed []*published
	read := make(map[uint32]uint64) // per partition, the offset up to which the history was read
	for partition, at := range oldest {
		events, err := s.gw.history.since(ctx, at)
		if err != nil {
			return fmt.Errorf("read what was missed: %w", err)
		}
		read[partition] = at.Offset
		for _, p := range events {
			read[partition] = p.Position.Offset
			if seen, ok := from[p.Topic]; ok && p.Position.Offset > seen.Offset {
				missed = append(missed, p)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.phase == phaseGone {
		return ErrClosed
	}
	for name, purge := range tr.revoked {
		if i := s.subscription(name); i >= 0 {
			s.leave(i, purge)
		}
	}
	tr.revoked = nil
	missed = slices.DeleteFunc(missed, func(p *published) bool { return subs[p.Topic].cut })
	for name, sub := range subs {
		sub.catching, sub.after = true, read[from[name].Partition] // what a lane offers of before is in missed
	}
	for _, offered := range tr.stash {
		if sub := offered.sub; sub == nil || !sub.cut {
			missed = append(missed, sub.unseen(offered.run)...)
		}
	}
	tr.stash = nil
	s.move(phaseOpen)
	if len(tr.orders) > 0 {
		s.gw.chore(s, s.carryOut)
	}
	c, _ := s.appendAll(missed)
	s.settle()
	if c != nil {
		s.gw.chore(s, c.flushNow)
	}
	return nil
}
