package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/alert"
	"github.com/gatehouse-go/gatehouse/gateway/internal/inbound"
	"github.com/gatehouse-go/gatehouse/gateway/internal/memory"
	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
	"github.com/gatehouse-go/gatehouse/gateway/internal/runner"
	"github.com/gatehouse-go/gatehouse/pool"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/shard"
)

// Gateway is an http.Handler that speaks the protocol of docs/protocol.md. Its
// methods may be called by many goroutines at once. See [New].
type Gateway struct {
	// Static after construction.
	opts       Options
	limits     Limits
	bounds     bounds
	inbound    inbound.Limits
	log        *slog.Logger
	lanes      []*lane
	workers    *workers
	topics     *topics
	feed       Feed
	dicts      dictionaries
	poller     *poll.Poller // nil without Options.Poller
	presence   *presence.Tracker
	people     *people // nil without Options.Presence.Store
	shards     *shard.Manager
	commands   *runner.Runner
	identifies *runner.Runner
	resumes    *runner.Runner
	chores     *runner.Runner // what is done for sessions and waits for others
	local      *MemoryLimiter // of this process
	began      time.Time
	lease      lease

	ctx  context.Context // ends when the gateway has shut down
	stop context.CancelFunc

	// Who is there.
	byConn    *pool.Pool[uint64, *conn]
	bySession *pool.Pool[string, *Session]
	lastConn  atomic.Uint64
	begun     atomic.Uint64          // sessions, or taken from the store
	lastURL   atomic.Pointer[string] // see urlFor
	loads     loads
	copies    *copies // nil without Options.Sessions
	history   history
	slow      slowConns
	health    health

	// What a drain leaves behind.
	draining  atomic.Bool
	successor handover
	holding   atomic.Int64 // upgrades that are held for it

	// What there is of everything.
	stats    counters
	memory   memoryGauge
	zlibs    atomic.Int64 // connections with a zlib stream
	detached atomic.Int64 // sessions without a connection
	held     atomic.Int64 // bytes of the events that rings hold
	monitor  monitor      // owned by the clock
	alerts   runner.Queue // calls of OnAlert; guarded by chores

	handlersMu sync.RWMutex
	handlers   map[string]handler

	// Goroutines, by what they do. Shutdown waits for all of them.
	conns    goroutines     // connections: one reader each, unless a poller reads them
	readers  goroutines     // of the poller's connections: those that wait, or end
	writers  goroutines     // one per connection that does not take more
	releases goroutines     // of sessions that other nodes ask for
	keepers  goroutines     // of the lease, and of the copies of sessions
	clock    sync.WaitGroup // one
}

// lanesPerProcessor makes more lanes than workers, so that one long lane does
// not leave the others idle.
const lanesPerProcessor = 4

// choresAtOnce is for how many sessions at once the presence store is told, or
// a hook called.
const choresAtOnce = 64

// New returns a gateway that is ready to serve. Shutdown ends it.
func New(opts Options) (*Gateway, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	dicts, err := openDictionaries(opts.Dictionaries)
	if err != nil {
		return nil, fmt.Errorf("gateway: Options.Dictionaries: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	n := lanesPerProcessor * runtime.GOMAXPROCS(0)
	g := &Gateway{
		began: time.Now(),
		dicts: dicts,
		opts:  opts, limits: opts.Limits, bounds: opts.Limits.bounds(), inbound: opts.Limits.inbound(), log: opts.Logger,
		shards:     opts.Shards,
		workers:    startWorkers(opts.Workers, n),
		commands:   runner.New(opts.Limits.Commands, 0),
		identifies: runner.New(opts.Limits.Identifies, max(0, opts.Limits.SignInsWaiting)),
		resumes:    runner.New(opts.Limits.Resumes, max(0, opts.Limits.SignInsWaiting)),
		chores:     runner.New(choresAtOnce, 0),
		local:      NewMemoryLimiter(),
		monitor:    monitor{evaluator: alert.New(opts.Thresholds.rules()...)},
		ctx:        ctx, stop: stop,
		handlers:  make(map[string]handler),
		lease:     lease{node: newNodeName()},
		successor: handover{there: make(chan struct{})},
	}
	if g.memory.usage = opts.usage; g.memory.usage == nil {
		g.memory.usage = memory.New(uint64(max(0, opts.Limits.Memory))).Usage
	}
	_, limit := g.memory.sample()
	if g.limits.HeldBytes == 0 {
		g.limits.HeldBytes = heldDefault(limit)
	}
	for i := range n {
		g.lanes = append(g.lanes, newLane(i, g.workers, g.now, &g.stats.latency))
	}
	g.topics = newTopics(ctx, g.lanes)
	g.history.gw = g
	g.openRegistries()
	if err := g.assemble(); err != nil {
		stop()
		g.workers.stop()
		return nil, err
	}
	g.openHealth()
	g.clock.Go(g.tick)
	if g.opts.Sessions != nil {
		g.keepers.start(g.keepLease)
		g.keepers.start(g.copies.run)
	}
	return g, nil
}

// assemble makes or takes the parts that can fail. After an error nothing is open.
func (g *Gateway) assemble() (err error) {
	if g.feed, err = g.opts.Broker.Open(g.ctx, g.deliver); err != nil {
		return fmt.Errorf("gateway: open the broker: %w", err)
	}
	g.topics.feed = g.feed
	if g.opts.Sessions != nil {
		g.copies = newCopies(g)
		if _, err = g.feed.Follow(g.ctx, topicsOfNodes+g.lease.node); err != nil {
			return errors.Join(fmt.Errorf("gateway: follow what other nodes ask: %w", err), g.feed.Close(g.ctx))
		}
	}
	if err = g.openPresence(); err != nil {
		return errors.Join(fmt.Errorf("gateway: %w", err), g.feed.Close(g.ctx))
	}
	if err = g.openPoller(); err != nil {
		return errors.Join(fmt.Errorf("gateway: open the poller: %w", err), g.presence.Close(g.ctx), g.feed.Close(g.ctx))
	}
	return nil
}

// Publish sends an event to the sessions that are subscribed to a topic, on
// every node, in the order in which the topic's publishes reach the broker. It
// returns when the broker has taken the event, not when it was written; it
// waits, until ctx ends, while the fan-out is behind. After an error the event may
// have been published: with an Event.ID it can be published again, and is there once.
func (g *Gateway) Publish(ctx context.Context, topic string, ev Event) error {
	rec, err := Seal(topic, ev)
	if err != nil {
		return err
	}
	return g.publish(ctx, rec)
}

func (g *Gateway) publish(ctx context.Context, rec Record) error {
	if g.ctx.Err() != nil {
		return ErrClosed
	}
	if err := g.topics.await(ctx, rec.Topic); err != nil {
		g.stats.publishFailed.Add(1)
		return fmt.Errorf("gateway: publish to %q: the fan-out is behind: %w", rec.Topic, err)
	}
	if err := g.opts.Broker.Publish(ctx, rec); err != nil {
		g.stats.publishFailed.Add(1)
		return fmt.Errorf("gateway: publish to %q: %w", rec.Topic, err)
	}
	g.stats.published.Add(1)
	return nil
}

// deliver takes a record from the broker.
func (g *Gateway) deliver(rec Record) {
	if strings.HasPrefix(rec.Topic, topicsOfNodes) {
		g.asked(rec)
		return
	}
	if rec.Gap {
		g.stats.gaps.Add(1)
		g.log.Error("events of a topic were lost: its sessions are told", "topic", rec.Topic)
	}
	g.topics.deliver(g.received(rec))
}

// received makes a record that has reached this node an event of it.
func (g *Gateway) received(rec Record) *published {
	rec.ID = "" // it was the broker's
	return &published{
		Record: rec, at: g.now().UnixNano(), account: &g.held,
		own: rec.Gap || strings.HasPrefix(rec.Topic, topicsOfUsers),
	}
}

// guard calls the application; a panic is logged, then onPanic called.
func (g *Gateway) guard(fn, onPanic func()) {
	defer func() {
		if v := recover(); v != nil {
			g.log.Error("application code panicked", "panic", v, "stack", string(debug.Stack()))
			if onPanic != nil {
				onPanic()
			}
		}
	}()
	fn()
}

// chore has something done for a session that may take its time or needs no
// lock held: one after another, in order, by nobody who serves others.
func (g *Gateway) chore(s *Session, job func()) {
	g.chores.Go(&s.chores, 0, func() { g.guard(job, nil) })
}
