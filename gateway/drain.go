package gateway

import (
	"context"
	"time"
)

// goodbyeWithin is what a drain keeps of its time for telling clients whose
// session could not be saved.
const goodbyeWithin = time.Second

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
			switch attached, detached := s.isAttached(); {
			case attached:
				here = append(here, s)
			case detached:
				away = append(away, s)
			} // else its sign-in is under way, or its end
		}
		signingIn := g.identifies.Running() + g.resumes.Running()
		if len(here)+len(away)+signingIn == 0 && g.bySession.Stats().Total == 0 {
			return nil
		}
		var all goroutines
		all.start(func() { g.letGoAll(save, away) }) // nobody reconnects because of these
		p := g.pace(save, len(here))
		p.run(save, len(here), func(i int) {
			all.start(func() { g.letGo(save, here[i], p) })
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

// awayAtOnce is how many sessions without a connection are saved at once.
const awayAtOnce = 256

// letGoAll lets go of sessions as fast as the store takes them.
func (g *Gateway) letGoAll(ctx context.Context, sessions []*Session) {
	turns := make(chan struct{}, awayAtOnce)
	var all goroutines
	for _, s := range sessions {
		turns <- struct{}{}
		all.start(func() {
			g.letGo(ctx, s, nil)
			<-turns
		})
	}
	all.wait(context.Background()) // each ends with ctx
}

// isAttached reports whether the session has a connection, or had one.
func (s *Session) isAttached() (attached, detached bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.conn != nil, s.detached != 0
}
