package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

const (
	// movedWithin is how long the store may take to keep a session that is moved.
	movedWithin = 10 * time.Second
	// thawedWithin is how long the broker may take afterwards to give a session
	// that was not kept what it missed.
	thawedWithin = 10 * time.Second
)

var errMoveUnsaved = errors.New("gateway: Move needs Options.Sessions")

// Move sends sessions elsewhere while the gateway goes on: when a node was added,
// or is to be emptied, those that belong to another one now. to is called once for
// each session there is, one after the other, and says whether it moves and where:
// the URL, without query, that its client is to come back to, or "" for the one
// that it has (Options.ResumeURL, or URL), as behind a load balancer that knows by now. Others are not
// touched.
//
// Those that move go at Limits.DrainRate, or as much faster as it takes to use
// half of the time that ctx leaves, each as Shutdown lets it go: its commands
// finish, it is saved in Options.Sessions, its client is told to reconnect (op 7;
// a client that asked for the extensions is told where) and closed 1012. Whoever
// it reaches takes it up. Sessions without a connection are saved. Those that
// begin while Move runs stay, and so do those that come back to this gateway:
// nobody is sent away twice by one call.
//
// When ctx ends, what has not begun stays as it is, and what has is finished,
// which takes seconds. A session that the store did not take within 10 s stays,
// too, and goes on. Move returns how many sessions are on their way, with ctx's
// error, or what kept one of them, or ErrClosed when the gateway shuts down, which
// sends all away. It needs Options.Sessions, and may be called at any time.
func (g *Gateway) Move(ctx context.Context, to func(s *Session) (url string, ok bool)) (moved int, err error) {
	if g.opts.Sessions == nil {
		return 0, errMoveUnsaved
	}
	if g.draining.Load() {
		return 0, ErrClosed
	}
	type journey struct {
		s   *Session
		url string
	}
	var journeys []journey
	for _, s := range g.bySession.All() {
		if attached, detached := s.isAttached(); !attached && !detached {
			continue // its sign-in is under way, or its end
		}
		if url, ok := to(s); ok {
			journeys = append(journeys, journey{s, url})
		}
	}
	if len(journeys) == 0 {
		return 0, ctx.Err()
	}
	places, stop := context.WithCancel(g.ctx)
	g.topics.advance(places)
	var all sync.WaitGroup
	all.Go(func() { g.topics.keepUp(places) })
	var result struct {
		sync.Mutex
		moved int
		err   error
	}
	var leaving sync.WaitGroup
	p := g.pace(ctx, len(journeys))
	p.run(ctx, len(journeys), func(i int) {
		if ctx.Err() != nil || g.draining.Load() {
			return
		}
		leaving.Go(func() {
			gone, err := g.moveTo(ctx, journeys[i].s, journeys[i].url, p)
			result.Lock()
			defer result.Unlock()
			if gone {
				result.moved++
			}
			if err != nil {
				result.err = err
			}
		})
	})
	leaving.Wait()
	stop()
	all.Wait()
	err = errors.Join(ctx.Err(), result.err)
	if g.draining.Load() {
		err = errors.Join(ErrClosed, err)
	}
	return result.moved, err
}

// moveTo lets go of one session, or leaves it as it is. It reports whether the
// session is on its way by this call.
func (g *Gateway) moveTo(ctx context.Context, s *Session, url string, p *pace) (gone bool, err error) {
	if !s.takeHold(ctx) {
		return false, nil
	}
	lost := false
	defer func() { s.loosen(gone || lost) }()
	s.awaitAck(ctx)
	if !g.finishCommands(ctx, s) {
		return false, nil // it has ended, or ctx has
	}
	saving, cancel := context.WithTimeout(g.ctx, movedWithin) // not ctx: what is half done is finished
	defer cancel()
	thawing, cancel := context.WithTimeout(g.ctx, movedWithin+thawedWithin)
	defer cancel()
	err = g.save(saving, thawing, s)
	switch {
	case err == nil:
		p.turn(ctx)
		g.sendAway(s, true, url)
		return true, nil
	case s.isGone(): // its client said goodbye, or the application removed it
		return false, nil
	case errors.Is(err, errNotThawed):
		lost = true
		g.sendAway(s, false, url)
	}
	g.log.Warn("a session was not moved", "user", s.user.ID, "lost", lost, "error", err)
	return false, fmt.Errorf("move a session of user %q: %w", s.user.ID, err)
}
