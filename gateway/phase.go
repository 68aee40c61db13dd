package gateway

// phase is how far a session is from, or on its way to, another gateway:
//
//	           Subscribe  commands  events      writes  may become
//	open       yes        yes       ring        yes     leaving, gone
//	leaving    no         no        ring        yes     frozen, gone
//	frozen     no         no        nobody's    no      gone (saved), catchingUp (not saved)
//	catchingUp no         no        stash       yes     open, gone
//	gone       no         no        nobody's    no
//
// A session that begins is open; one that comes out of a store catches up first.
type phase uint8

const (
	phaseOpen       phase = iota
	phaseLeaving          // is about to be saved
	phaseFrozen           // is being saved
	phaseCatchingUp       // reads what was published while nobody had it
	phaseGone             // has ended, or another gateway may have it
)

// moving reports whether the session is between two gateways.
func (p phase) moving() bool {
	return p == phaseLeaving || p == phaseFrozen || p == phaseCatchingUp
}

// deaf reports whether nothing reaches the session any more. mu is held.
func (s *Session) deaf() bool {
	return s.phase == phaseGone || s.phase == phaseFrozen || s.doomed != nil
}

// move changes the phase, unless the session is gone. mu is held.
func (s *Session) move(to phase) {
	if s.phase != phaseGone {
		s.phase = to
	}
}

// transit is what a session needs on its way between gateways.
type transit struct {
	going     chan struct{}   // closed when it was let go of, or stays; nil: nobody lets go of it
	gone      bool            // it was let go of
	revoked   map[string]bool // while it moves: topics to leave if it stays; true: with what is queued of them
	departing []*subscription // that have ended, and whose last events the lane has still to offer
	freezing  *freezing       // waits for its departing subscriptions, and for others; nil: nobody does
	stash     []offered       // while it catches up: what waits until it has
	orders    []storedOrder   // that it has heard, and are still to be carried out
	acked     chan struct{}   // see nothingToAwait; nil: nobody waits
}

// inTransit is the session's transit. mu is held.
func (s *Session) inTransit() *transit {
	if s.transit == nil {
		s.transit = new(transit)
	}
	return s.transit
}
