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
	Sessions    int // live now
	Topics      int // with a subscriber in this process

	Accepted        uint64            // connections upgraded
	Refused         map[string]uint64 // and not, by reason: "full", "address", "handshake", "draining"
	Closes          map[Code]uint64   // connections ended, by the code of whoever closed
	SessionsStarted uint64
	ResumesRefused  uint64 // Resume answered with Invalid Session

	Published       uint64 // events handed to the broker
	Delivered       uint64 // dispatches given to connections
	DroppedVolatile uint64 // not queued, because a session did not keep up
	SlowConsumers   uint64 // connections closed 4100
	RateLimited     uint64 // messages not handled, and told so
	Commands        uint64 // handlers run
	CommandsFailed  uint64
	CommandTime     time.Duration // from arrival to reply, all of them together
}

// counters are Stats while they change.
type counters struct {
	accepted, sessions, resumesRefused                 atomic.Uint64
	published, delivered, droppedVolatile              atomic.Uint64
	slowConsumers, rateLimited, commands, failed, nano atomic.Uint64

	mu      sync.Mutex // never held while anything else is locked
	refused map[string]uint64
	closes  map[Code]uint64
}

func (c *counters) refuse(reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.refused == nil {
		c.refused = make(map[string]uint64)
	}
	c.refused[reason]++
}

func (c *counters) closed(code Code) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closes == nil {
		c.closes = make(map[Code]uint64)
	}
	c.closes[code]++
}

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
	refused, closes := maps.Clone(c.refused), maps.Clone(c.closes)
	c.mu.Unlock()
	conns := g.byConn.Stats()
	return Stats{
		Connections:     conns.Total,
		Active:          conns.Active,
		Idle:            conns.Idle,
		Sessions:        g.bySession.Stats().Total,
		Topics:          g.topics.count(),
		Accepted:        c.accepted.Load(),
		Refused:         refused,
		Closes:          closes,
		SessionsStarted: c.sessions.Load(),
		ResumesRefused:  c.resumesRefused.Load(),
		Published:       c.published.Load(),
		Delivered:       c.delivered.Load(),
		DroppedVolatile: c.droppedVolatile.Load(),
		SlowConsumers:   c.slowConsumers.Load(),
		RateLimited:     c.rateLimited.Load(),
		Commands:        c.commands.Load(),
		CommandsFailed:  c.failed.Load(),
		CommandTime:     time.Duration(c.nano.Load()),
	}
}
