package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/histogram"
	"github.com/gatehouse-go/gatehouse/shard"
)

// Stats is what a gateway has done and holds. Counts are since New, latencies
// of the last half minute.
type Stats struct {
	Connections int           // open now: Active + Idle
	Active      int           // of them, those that sent something but heartbeats within the last minute
	Idle        int           // and those that did not
	Shards      []shard.Count // sessions, by the shard that they were placed on
	ZlibStreams int           // connections with compress=zlib-stream, some 0.8 MB each

	Accepted       uint64            // connections upgraded
	Refused        map[string]uint64 // and not, by reason: "full", "address", "rate", "memory", "handshake", "draining"
	ConnectSuccess float64           // share of those of the last half minute that were upgraded; 1 if there were none
	Closes         map[Code]uint64   // connections ended, by the code of whoever closed
	ZlibRefused    uint64            // connections served plain, because Limits.ZlibStreams was reached

	Sessions        int               // live now, detached ones included
	Detached        int               // of them, those without a connection
	SessionsStarted uint64            // READY
	SessionsResumed uint64            // RESUMED
	SessionsEnded   uint64            // for good
	SessionsSaved   uint64            // by Shutdown, or because another node asked, for another gateway
	SessionsCopied  uint64            // copies that were saved, for when this node is killed
	SessionsLost    uint64            // to another node, while this one was taken for dead
	Gaps            uint64            // times that events of a topic were lost between the broker and this node; its sessions ended
	ResumesRefused  map[string]uint64 // sign-ins answered with Invalid Session, by reason: "unknown", "user", "sequence", "ended", "contested", "gap", "version", "gone", "busy"

	Degraded map[string]time.Duration // parts that do not work, as Degraded has them: for how long

	Topics        int               // with a subscriber in this process
	Received      uint64            // messages of clients that were handled
	Published     uint64            // events handed to the broker
	PublishFailed uint64            // events that were not: the fan-out was behind, or the broker failed
	Queued        int               // events that wait to be fanned out, each once per lane
	Unsent        int               // events in sessions that were not sent yet, each once per session
	UnsentAge     time.Duration     // of the event that has waited longest for a slow connection
	SlowNow       int               // connections whose sockets do not take what there is to write
	Delivered     uint64            // dispatches given to connections
	Dropped       map[string]uint64 // events not sent, by reason: "volatile" (the session did not keep up), "detached" (with a session that nobody came back for)
	SlowConsumers uint64            // connections closed 4100
	GivenUp       map[string]uint64 // for memory: "detached" sessions ended, "slow" ones closed, "kept" events forgotten
	RateLimited   uint64            // messages not handled, and told so
	Latency       Latency           // of an event, from its arrival here to the last write of it; slow sockets are not waited for

	Commands       uint64 // handlers run
	CommandsFailed uint64
	CommandTime    Latency // from arrival to reply

	HeldBytes   int64  // of the events that sessions hold, each once
	MemoryUsed  uint64 // by the process; under GOMEMLIMIT without garbage
	MemoryLimit uint64 // 0: unknown
}

// Latency is how long something took.
type Latency struct {
	Count               uint64
	Mean, P50, P95, P99 time.Duration
}

func latencyOf(h *histogram.Histogram) Latency {
	s := h.Recent()
	return Latency{Count: s.Count, Mean: s.Mean(), P50: s.Quantile(0.50), P95: s.Quantile(0.95), P99: s.Quantile(0.99)}
}

// counters are Stats while they change.
type counters struct {
	accepted, sessions, resumed, sessionsEnded, saved, copies, lost, gaps atomic.Uint64
	received, published, publishFailed, delivered                         atomic.Uint64
	droppedVolatile, droppedRest                                          atomic.Uint64
	slowConsumers, rateLimited, commands, failed                          atomic.Uint64
	refusals, zlibRefused                                                 atomic.Uint64
	givenUpDetached, givenUpSlow, givenUpKept                             atomic.Uint64

	latency, commandTime histogram.Histogram

	mu      sync.Mutex // never held while anything else is locked
	refused map[string]uint64
	resumes map[string]uint64 // refused
	closes  map[Code]uint64
}

func (c *counters) refuse(reason string) {
	c.refusals.Add(1)
	count(&c.mu, &c.refused, reason)
}

func (c *counters) refuseResume(reason string) { count(&c.mu, &c.resumes, reason) }

func (c *counters) closed(code Code) { count(&c.mu, &c.closes, code) }

func count[K comparable](mu *sync.Mutex, in *map[K]uint64, key K) {
	mu.Lock()
	defer mu.Unlock()
	if *in == nil {
		*in = make(map[K]uint64)
	}
	(*in)[key]++
}

func (c *counters) command(took time.Duration, err error) {
	c.commands.Add(1)
	c.commandTime.Observe(took)
	if err != nil {
		c.failed.Add(1)
	}
}

// Stats returns the counts of this moment; they are not one snapshot. It takes
// some 100 µs: call it every second, not for every message.
func (g *Gateway) Stats() Stats {
	c := &g.stats
	c.mu.Lock()
	refused, resumes, closes := maps.Clone(c.refused), maps.Clone(c.resumes), maps.Clone(c.closes)
	c.mu.Unlock()
	conns := g.byConn.Stats()
	queued, unsent := g.queues()
	slow, unsentAge := g.slow.oldest()
	used, limit := g.memory.get()
	return Stats{
		Connections: conns.Total,
		Active:      conns.Active,
		Idle:        conns.Idle,
		Shards:      g.shards.Counts(),
		ZlibStreams: int(g.zlibs.Load()),

		Accepted:       c.accepted.Load(),
		Refused:        refused,
		ConnectSuccess: g.monitor.success(),
		Closes:         closes,
		ZlibRefused:    c.zlibRefused.Load(),

		Sessions:        g.bySession.Stats().Total,
		Detached:        int(g.detached.Load()),
		SessionsStarted: c.sessions.Load(),
		SessionsResumed: c.resumed.Load(),
		SessionsEnded:   c.sessionsEnded.Load(),
		SessionsSaved:   c.saved.Load(),
		SessionsCopied:  c.copies.Load(),
		Gaps:            c.gaps.Load(),
		SessionsLost:    c.lost.Load(),
		ResumesRefused:  resumes,

		Degraded: g.troubles(),

		Topics:        g.topics.count(),
		Received:      c.received.Load(),
		Published:     c.published.Load(),
		PublishFailed: c.publishFailed.Load(),
		Queued:        queued,
		Unsent:        unsent,
		UnsentAge:     unsentAge,
		SlowNow:       slow,
		Delivered:     c.delivered.Load(),
		Dropped:       map[string]uint64{"volatile": c.droppedVolatile.Load(), "detached": c.droppedRest.Load()},
		SlowConsumers: c.slowConsumers.Load(),
		GivenUp:       map[string]uint64{"detached": c.givenUpDetached.Load(), "slow": c.givenUpSlow.Load(), "kept": c.givenUpKept.Load()},
		RateLimited:   c.rateLimited.Load(),
		Latency:       latencyOf(&c.latency),

		Commands:       c.commands.Load(),
		CommandsFailed: c.failed.Load(),
		CommandTime:    latencyOf(&c.commandTime),

		HeldBytes:   g.held.Load(),
		MemoryUsed:  used,
		MemoryLimit: limit,
	}
}

// troubles are the parts that do not work.
func (g *Gateway) troubles() map[string]time.Duration {
	all, now := g.Degraded(), g.now()
	if len(all) == 0 {
		return nil
	}
	lasts := make(map[string]time.Duration, len(all))
	for _, t := range all {
		lasts[t.Part] = now.Sub(t.Since)
	}
	return lasts
}

// queues returns what waits in the lanes, and in sessions.
func (g *Gateway) queues() (queued, unsent int) {
	for _, l := range g.lanes {
		l.mu.Lock()
		queued += l.queued
		l.mu.Unlock()
		unsent += int(l.unsent.Load())
	}
	return queued, unsent
}

// Expvar returns the Stats as package expvar wants a variable, in JSON:
//
//	expvar.Publish("gatehouse", gw.Expvar())
func (g *Gateway) Expvar() fmt.Stringer { return statsVar{g} }

type statsVar struct{ g *Gateway }

func (v statsVar) String() string {
	data, err := json.Marshal(v.g.Stats())
	if err != nil {
		return `"` + err.Error() + `"` // not reached: everything in Stats has a form in JSON
	}
	return string(data)
}
