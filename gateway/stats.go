package gateway

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Stats is what a gateway has done and holds. Counts are since New.
type Stats struct {
	Connections int // open now: Active + Idle
	Active      int // of them, those that sent something but heartbeats within the last minute
	Idle        int // and those that did not
	Sessions    int // live now, detached ones included
	Detached    int // of them, those without a connection
	Topics      int // with a subscriber in this process

	Accepted        uint64            // connections upgraded
	Refused         map[string]uint64 // and not, by reason: "full", "address", "handshake", "draining"
	Closes          map[Code]uint64   // connections ended, by the code of whoever closed
	SessionsStarted uint64
	SessionsResumed uint64
	SessionsEnded   uint64
	SessionsSaved   uint64            // by Shutdown, for another gateway
	ResumesRefused  map[string]uint64 // sign-ins answered with Invalid Session, by reason

	Published      uint64            // events handed to the broker
	Delivered      uint64            // dispatches given to connections
	Dropped        map[string]uint64 // not sent, by reason: "volatile" (not queued: the session did not keep up), "detached" (with a session that nobody came back for)
	SlowConsumers  uint64            // connections closed 4100
	RateLimited    uint64            // messages not handled, and told so
	Commands       uint64            // handlers run
	CommandsFailed uint64
	CommandTime    time.Duration // from arrival to reply, all of them together
}

// counters are Stats while they change.
type counters struct {
	accepted, sessions, resumed, sessionsEnded, saved  atomic.Uint64
	published, delivered, droppedVolatile, droppedRest atomic.Uint64
	slowConsumers, rateLimited, commands, failed, nano atomic.Uint64

	mu      sync.Mutex // never held while anything else is locked
	refused map[string]uint64
	resumes map[string]uint64 // refused
	closes  map[Code]uint64
}

func (c *counters) refuse(reason string) { count(&c.mu, &c.refused, reason) }

func (c *counters) refuseResume(reason string) { count(&c.mu, &c.resumes, reason) }

func count[K comparable](mu *sync.Mutex, in *map[K]uint64, key K) {
	mu.Lock()
	defer mu.Unlock()
	if *in == nil {
		*in = make(map[K]uint64)
	}
	(*in)[key]++
}

func (c *counters) closed(code Code) { count(&c.mu, &c.closes, code) }

func (c *counters) command(took time.Duration, err error) {
	c.commands.Add(1)
	c.nano.Add(uint64(took))
	if err != nil {
		c.failed.Add(1)
	}
}

// Stats returns the counts of this moment; they are not one snapshot.
func (g *Gateway) Stats() Stats {
	c := &g.stats
	c.mu.Lock()
	refused, resumes, closes := maps.Clone(c.refused), maps.Clone(c.resumes), maps.Clone(c.closes)
	c.mu.Unlock()
	conns := g.byConn.Stats()
	sessions := g.bySession.Stats().Total
	return Stats{
		Connections:     conns.Total,
		Active:          conns.Active,
		Idle:            conns.Idle,
		Sessions:        sessions,
		Detached:        int(g.detached.Load()),
		Topics:          g.topics.count(),
		Accepted:        c.accepted.Load(),
		Refused:         refused,
		Closes:          closes,
		SessionsStarted: c.sessions.Load(),
		SessionsResumed: c.resumed.Load(),
		SessionsEnded:   c.sessionsEnded.Load(),
		SessionsSaved:   c.saved.Load(),
		ResumesRefused:  resumes,
		Published:       c.published.Load(),
		Delivered:       c.delivered.Load(),
		Dropped:         map[string]uint64{"volatile": c.droppedVolatile.Load(), "detached": c.droppedRest.Load()},
		SlowConsumers:   c.slowConsumers.Load(),
		RateLimited:     c.rateLimited.Load(),
		Commands:        c.commands.Load(),
		CommandsFailed:  c.failed.Load(),
		CommandTime:     time.Duration(c.nano.Load()),
	}
}
