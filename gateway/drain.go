package gateway

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
)

const (
	// ackWithin is how long a session that is drained is waited for to say what
	// it has seen: what it says need not be saved.
	ackWithin = time.Second
	// goodbyeWithin is what a drain keeps of its time for telling clients whose
	// session could not be saved.
	goodbyeWithin = time.Second
	// hintWithin bounds the random time after which a client is to come back.
	hintWithin = time.Second
)

// drain lets go of every session, paced, and returns when none is left, or with
// ctx's error.
func (g *Gateway) drain(ctx context.Context) error {
	save, cancel := before(ctx, goodbyeWithin)
	var places goroutines
	defer func() {
		cancel()
		places.wait(ctx)
	}()
	if g.opts.Sessions != nil {
		g.topics.advance(save)
		places.start(func() { g.topics.keepUp(save) })
	}
	for {
		var here, away []*Session
		for _, s := range g.bySession.All() {
			if s.attached() {
				here = append(here, s)
			} else {
				away = append(away, s)
			}
		}
		signingIn := g.identifies.Running() + g.resumes.Running()
		if len(here)+len(away)+signingIn == 0 && g.bySession.Stats().Total == 0 {
			return nil
		}
		var all goroutines
		for _, s := range away { // nobody reconnects because of these
			all.start(func() { g.letGo(save, s) })
		}
		g.pace(save, len(here), func(i int) {
			all.start(func() { g.letGo(save, here[i]) })
		})
		if err := all.wait(ctx); err != nil {
			return err
		}
		select {
		case <-time.After(drainAgain):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// drainAgain is how long a drain waits before it looks for more to do.
const drainAgain = 10 * time.Millisecond

// pace calls next for 0 to n-1 at the drain's rate, or as much faster as it
// takes to use no more than half of the time that ctx leaves.
func (g *Gateway) pace(ctx context.Context, n int, next func(int)) {
	var window time.Duration
	if rate := g.limits.DrainRate; rate > 0 {
		window = time.Duration(n) * time.Second / time.Duration(rate)
	}
	if deadline, ok := ctx.Deadline(); ok {
		window = min(window, time.Until(deadline)/2)
	}
	began := time.Now()
	for i := range n {
		due := began.Add(window * time.Duration(i) / time.Duration(max(n, 1)))
		if wait := time.Until(due); wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
			}
		}
		next(i)
	}
}

// letGo has a session finish its commands, saves it and sends its client
// elsewhere, or waits until another call has. Whatever is not done when ctx ends
// is not.
func (g *Gateway) letGo(ctx context.Context, s *Session) {
	s.mu.Lock()
	going := s.going
	if going == nil {
		s.going = make(chan struct{})
		defer close(s.going)
	}
	s.mu.Unlock()
	if going != nil {
		select {
		case <-going:
		case <-ctx.Done():
		}
		return
	}
	saved := false
	if g.opts.Sessions == nil {
		g.finishCommands(ctx, s)
	} else {
		s.awaitAck(ctx)
		saved = g.saveUntilDone(ctx, s)
	}
	s.mu.Lock()
	c, answered := s.conn, s.ring.answered()
	s.mu.Unlock()
	if c != nil {
		if !saved && g.opts.Sessions != nil {
			c.send(appendMessage(nil, c.form, opInvalidSession, []byte("false")))
		}
		if answered {
			c.sayRestart(g.reconnectHint(c))
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
// ends first.
func (g *Gateway) finishCommands(ctx context.Context, s *Session) bool {
	finished := make(chan struct{})
	g.commands.Go(&s.commands, 0, func() {
		s.mu.Lock()
		s.leaving = true
		s.mu.Unlock()
		close(finished)
	})
	select {
	case <-finished:
		return true
	case <-s.ctx.Done():
	case <-ctx.Done():
	}
	return false
}

// forgetSaved takes a session out of the store that ended while it was saved:
// its client said goodbye, or the application removed it.
func (g *Gateway) forgetSaved(s *Session) {
	ctx, cancel := context.WithTimeout(g.ctx, goodbyeWithin)
	defer cancel()
	if err := g.opts.Sessions.Delete(ctx, s.id); err != nil {
		g.log.Error("a session that has ended is still in the store", "user", s.user.ID, "error", err)
	}
}

// saveUntilDone saves a session, trying again while ctx lasts and the session
// can go on in between, and reports whether it did.
func (g *Gateway) saveUntilDone(ctx context.Context, s *Session) bool {
	wait := 50 * time.Millisecond
	for g.finishCommands(ctx, s) {
		err := g.save(ctx, s)
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
	if s.acked == nil {
		s.acked = make(chan struct{})
	}
	acked := s.acked
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

// attached reports whether the session has a connection.
func (s *Session) attached() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil
}

// reconnectHint is the d of op 7: when to come back, for those who asked for
// the extensions; at random, so that not all come at once.
func (g *Gateway) reconnectHint(c *conn) []byte {
	if !c.ext {
		return nil
	}
	hint, _ := codec.AppendJSON(nil, map[string]any{
		"retry_after": rand.Int64N(hintWithin.Milliseconds()),
		"url":         c.info.URL,
	})
	return hint
}
