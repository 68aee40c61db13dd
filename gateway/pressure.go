package gateway

import (
	"cmp"
	"math"
	"slices"
	"sync/atomic"
	"time"
)

// When memory gets short, the gateway sheds before the process dies: first new
// connections, then new sessions, last those that resume, which are the
// cheapest; and rings give back what they hold, the worst first.
const (
	pressureHurry    = 0.80 // sign-ins have 10 s
	pressureAccept   = 0.85 // upgrades are refused
	pressureIdentify = 0.90 // new sessions are
	pressureResume   = 0.95 // resumes are told to come later
	pressureRings    = 0.85 // rings give back half of what they hold
)

// worthRelief is the share of the limit that rings hold when it helps to have
// them give it back: below it, memory has gone elsewhere.
const worthRelief = 1.0 / 16

// hurriedTimeout is what is left of the identify timeout under pressure.
const hurriedTimeout = 10 * time.Second

// memoryGauge is what the process uses, as of the last sample.
type memoryGauge struct {
	usage       func() (used, limit uint64)
	used, limit atomic.Uint64
	pressure    atomic.Uint64 // used of limit, in thousandths; 0 while the limit is unknown
}

// sample looks. One caller at a time.
func (m *memoryGauge) sample() (used, limit uint64) {
	used, limit = m.usage()
	m.used.Store(used)
	m.limit.Store(limit)
	if limit > 0 {
		m.pressure.Store(used * 1000 / limit)
	}
	return used, limit
}

func (m *memoryGauge) get() (used, limit uint64) { return m.used.Load(), m.limit.Load() }

// above reports whether more than a share of the limit is used.
func (m *memoryGauge) above(share float64) bool { return float64(m.pressure.Load()) > share*1000 }

// heldDefault is the budget of rings under a memory limit; 0: unknown.
func heldDefault(limit uint64) int {
	if limit == 0 {
		return 1 << 30
	}
	return int(min(limit/4, math.MaxInt))
}

// relieve has rings give back what is over their budget, or half of what they
// hold when memory is short.
func (g *Gateway) relieve(used, limit uint64) {
	held, budget := g.held.Load(), int64(g.limits.HeldBytes)
	if limit > 0 && float64(used) > pressureRings*float64(limit) && float64(held) > worthRelief*float64(limit) {
		budget = min(budget, held/2)
		if budget < 0 {
			budget = held / 2
		}
	}
	if budget >= 0 && held > budget && held > 0 {
		g.giveUp(held - budget)
	}
}

// share is what a session is alone responsible for.
type share struct {
	s        *Session
	bytes    int64
	detached bool
	behind   bool
}

// giveUp frees about so many bytes of events: the sessions that hold the most,
// each event counted in equal parts for those that hold it. Detached ones end,
// then those that are behind are closed and end, and then what was sent and not
// acknowledged is forgotten.
func (g *Gateway) giveUp(excess int64) {
	var all []share
	for _, s := range g.bySession.All() {
		if sh := s.share(); sh.bytes > 0 {
			all = append(all, sh)
		}
	}
	slices.SortFunc(all, func(a, b share) int {
		return cmp.Or(rank(b)-rank(a), cmp.Compare(b.bytes, a.bytes))
	})
	g.log.Warn("sessions hold too much: the worst are given up", "excess", excess, "sessions", len(all))
	for _, sh := range all {
		if excess <= 0 {
			return
		}
		excess -= sh.bytes
		g.giveUpOn(sh)
	}
}

func rank(s share) int {
	switch {
	case s.detached:
		return 2
	case s.behind:
		return 1
	}
	return 0
}

func (g *Gateway) giveUpOn(sh share) {
	s := sh.s
	s.mu.Lock()
	var c *conn
	switch {
	case s.deaf():
	case s.detached != 0:
		g.stats.givenUpDetached.Add(1)
		g.stats.droppedRest.Add(uint64(s.ring.unsentLive))
		s.doom(&CloseError{Code: CloseTimedOut})
	case sh.behind:
		g.stats.givenUpSlow.Add(1)
		g.stats.slowConsumers.Add(1)
		c = s.doom(&CloseError{Code: CloseSlowConsumer})
	default:
		acked := s.ring.acked
		s.noteWritten()
		s.ring.trimAll()
		g.stats.givenUpKept.Add(s.ring.acked - acked)
	}
	s.settle()
	s.mu.Unlock()
	if c != nil {
		c.flushNow()
	}
}

// share is the session's part of what rings hold.
func (s *Session) share() share {
	s.mu.Lock()
	defer s.mu.Unlock()
	sh := share{s: s, detached: s.detached != 0}
	for p := range s.ring.all() {
		sh.bytes += int64(p.size()) / int64(max(p.held.Load(), 1))
	}
	sh.behind = s.ring.halfUnsent(&s.gw.bounds)
	return sh
}
