package redis_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/presence"
)

// town is gateways that share a Redis, their clients, and the oracle that knows what those should see.
type town struct {
	t       *testing.T
	connect func() goredis.UniversalClient
	network *gatewaytest.Network
	oracle  *gatewaytest.Oracle
	topics  []string
	name    string

	mu    sync.Mutex
	nodes []*house // those that live
	all   int
}

type house struct {
	addr   string
	gw     *gateway.Gateway
	client goredis.UniversalClient
	killed atomic.Bool
}

func (n *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if n.killed.Load() {
		panic(http.ErrAbortHandler) // nobody is there
	}
	n.gw.ServeHTTP(w, r)
}

func (n *house) Shutdown(ctx context.Context) error { return n.gw.Shutdown(ctx) }

// start adds a node.
func (f *town) start() *house {
	f.t.Helper()
	client := f.connect()
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	b := broker(f.t, client, f.name, redis.BrokerOptions{Logger: quiet, History: 50_000})
	limiter := redis.NewLimiter(client, f.name, redis.LimiterOptions{})
	f.t.Cleanup(func() { limiter.Close() })
	people := redis.NewPresence(client, f.name, redis.PresenceOptions{})
	f.t.Cleanup(func() { people.Close() })
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			return gateway.User{ID: id.Token}, nil
		},
		Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
			return nil, f.oracle.Subscribe(ctx, s, f.topics...)
		},
		Broker: b, Sessions: sessions(f.t, client, f.name), Limiter: limiter, Presence: presence.Options{Store: people},
		Limits: gateway.Limits{Lease: time.Second, Checkpoint: time.Second}, Logger: quiet,
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.all++
	n := &house{addr: fmt.Sprint("node", f.all), gw: gw, client: client}
	f.network.Serve(f.t, n.addr, n)
	f.nodes = append(f.nodes, n)
	return n
}

// one returns a node that lives.
func (f *town) one(i int) *house {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodes[i%len(f.nodes)]
}

// remove has nobody use a node any more.
func (f *town) remove(n *house) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, other := range f.nodes {
		if other == n {
			f.nodes = append(f.nodes[:i:i], f.nodes[i+1:]...)
		}
	}
}

// kill cuts a node off from everything at once, as a kill of its process does.
func (f *town) kill(n *house) {
	f.remove(n)
	n.killed.Store(true)
	n.client.Close()
	for _, l := range f.network.Links() {
		l.Kill() // those of others come back
	}
}

// live is a client that comes back whatever happens, until ctx ends. last counts the topics whose last event it has seen.
func (f *town) live(ctx context.Context, i int, last *atomic.Int64) {
	c := f.network.Client(f.t, gatewaytest.ClientOptions{Token: fmt.Sprint("user", i), Ext: true, Positions: true, Addr: f.one(i).addr, Oracle: f.oracle, Seed: uint64(i)})
	signedIn := false
	for turn := i; ctx.Err() == nil; {
		switch {
		case c.Connected() && signedIn:
		case signedIn:
			_ = c.Resume(ctx) // if it fails it is not connected
		default:
			_, err := c.Identify(ctx)
			signedIn = err == nil
		}
		if !c.Connected() {
			turn++
			c.Go(f.one(turn).addr)
			wait(ctx, 20*time.Millisecond)
			continue
		}
		m, err := c.Next(ctx)
		switch {
		case err != nil:
		case m.Op == 7:
			c.Drop()
		case m.Op == 9:
			signedIn = false
		case m.Type == "LAST":
			last.Add(1)
		}
	}
}

// life has clients of nodes live through what is done to those, while events are published, and judges.
func life(t *testing.T, connect func() goredis.UniversalClient, harm func(f *town, busy func())) {
	f := &town{t: t, connect: connect, network: gatewaytest.NewNetwork(gatewaytest.NetworkOptions{}), oracle: gatewaytest.NewOracle(), name: fmt.Sprint("town ", names.Add(1))}
	for i := range 6 {
		f.topics = append(f.topics, fmt.Sprint("guild:", i))
	}
	f.start()
	f.start()
	const clients = 8
	var last [clients]atomic.Int64
	ctx, end := context.WithCancel(t.Context())
	var living, talking sync.WaitGroup
	for i := range clients {
		living.Go(func() { f.live(ctx, i, &last[i]) })
	}
	defer living.Wait()
	defer end()
	eventually(t, "sign in", func() error {
		if n := f.one(0).gw.Stats().Sessions + f.one(1).gw.Stats().Sessions; n != clients {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	talk, hush := context.WithCancel(t.Context())
	var said atomic.Int64
	for i, topic := range f.topics {
		talking.Go(func() {
			for turn := i; talk.Err() == nil; turn++ {
				short, cancel := context.WithTimeout(context.Background(), 5*time.Second)
				_ = f.oracle.Publish(short, f.one(turn).gw, topic, gateway.Event{Type: "N", Data: turn}) // the oracle knows what fails
				cancel()
				said.Add(1)
				wait(talk, 2*time.Millisecond)
			}
		})
	}
	busy := func() {
		until := said.Load() + 300
		eventually(t, "publishing", func() error {
			if n := said.Load(); n < until {
				return fmt.Errorf("%d of %d were published", n, until)
			}
			return nil
		})
	}
	busy()
	harm(f, busy)
	busy()
	hush()
	talking.Wait()
	for _, topic := range f.topics {
		eventually(t, "the last event", func() error {
			return f.oracle.Publish(t.Context(), f.one(0).gw, topic, gateway.Event{Type: "LAST"})
		})
	}
	for i := range last {
		eventually(t, fmt.Sprint("the last events of client ", i), func() error {
			if n := last[i].Load(); int(n) < len(f.topics) {
				return fmt.Errorf("it has seen %d", n)
			}
			return nil
		})
	}
	report := f.oracle.Check()
	t.Log(report)
	if err := report.Err(); err != nil {
		t.Error(err)
	}
	if report.Told > 0 {
		t.Errorf("%d sessions were lost, though told", report.Told)
	}
}

func drain(f *town) {
	n := f.one(0)
	f.start()
	f.remove(n)
	ctx, cancel := context.WithTimeout(f.t.Context(), patience)
	defer cancel()
	if err := n.gw.Shutdown(ctx); err != nil {
		f.t.Error(err)
	}
}

func kill(f *town, busy func()) {
	n := f.one(0)
	f.start()
	busy()
	f.kill(n)
}

// Sessions live through a drain of their node, its kill, and a restart of Redis.
func TestNodes(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	life(t, func() goredis.UniversalClient { return connect(t, s.Addr()) }, func(f *town, busy func()) {
		drain(f)
		busy()
		kill(f, busy)
		busy()
		s.Kill()
		s.Start()
	})
}

func TestNodesOnCluster(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 0)
	life(t, func() goredis.UniversalClient { return connect(t, c.Addrs()...) }, func(f *town, busy func()) {
		drain(f)
		busy()
		kill(f, busy)
		busy()
		c.Nodes[1].Kill()
		c.Nodes[1].Start()
	})
}
