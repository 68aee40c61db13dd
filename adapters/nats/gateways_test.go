package nats_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

// node is a process of a cluster, but for its memory.
type node struct {
	gw     *gateway.Gateway
	broker *nats.Broker
	js     jetstream.JetStream
}

// Clients stay in their sessions while the server is killed and started again, their node drains, and the next
// one is killed: nothing is lost untold, or comes twice.
func TestGateways(t *testing.T) {
	t.Parallel()
	const clients = 8
	s := newProcess(t)
	oracle := gatewaytest.NewOracle()
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{Seed: 1})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	topics := func(user string) []string { return []string{"all", "topic of " + user} }
	start := func(addr string) *node {
		n := &node{js: connect(t, s.Addr())}
		n.broker = openBroker(t, n.js, "chat", nats.BrokerOptions{HistoryBytes: 64 << 20, Logger: quiet})
		o := gateway.Options{
			Broker: n.broker, Sessions: openSessions(t, n.js, "chat", nats.StoreOptions{}), Logger: slog.New(slog.DiscardHandler),
			Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
				return gateway.User{ID: id.Token}, nil
			},
			Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
				return nil, oracle.Subscribe(ctx, s, topics(s.User().ID)...)
			},
		}
		o.Limits.Lease, o.Limits.Checkpoint, o.Limits.HeartbeatInterval = 2*time.Second, 200*time.Millisecond, time.Second
		var err error
		if n.gw, err = gateway.New(o); err != nil {
			t.Fatal(err)
		}
		network.Serve(t, addr, n.gw)
		return n
	}
	one := start("one")
	p, err := nats.NewPublisher(ctx, connect(t, s.Addr()), "chat", nats.BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })

	var all []*gatewaytest.Client
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	for i := range clients {
		c := network.Client(t, gatewaytest.ClientOptions{Addr: "one", Token: fmt.Sprint("user", i), Seed: uint64(i), Oracle: oracle, Ext: true, Positions: true})
		all = append(all, c)
		running.Go(func() { c.Run(ctx) })
	}
	ready := func() {
		t.Helper()
		eventually(t, "everybody is back", func() error {
			for i, c := range all {
				if !c.Ready() {
					return fmt.Errorf("user%d is not", i)
				}
			}
			return nil
		})
	}
	ready()
	var load sync.WaitGroup
	loading, stop := context.WithCancel(ctx)
	defer stop()
	for i := range clients {
		load.Go(func() {
			for n := 0; loading.Err() == nil; n++ {
				topic := topics(fmt.Sprint("user", i))[n%2]
				if err := oracle.Publish(ctx, p, topic, gateway.Event{Type: "N", Data: n}); err != nil {
					t.Error(err)
				}
				rest(loading, 20*time.Millisecond)
			}
		})
	}
	move := func(to string) {
		for _, c := range all {
			c.Go(to)
		}
	}
	arrives := func() { // so that the clients have caught up
		t.Helper()
		eventually(t, "events arrive", func() error { return errors.Join(oracle.Check().Err(), one.broker.Err()) })
	}

	rest(ctx, 500*time.Millisecond)
	s.Kill()
	rest(ctx, 500*time.Millisecond)
	if got := one.gw.Stats().Sessions; got != clients {
		t.Errorf("%d sessions while the server is away", got)
	}
	s.Start()
	eventually(t, "the broker is back", one.broker.Err)

	two := start("two")
	move("two")
	drain, done := context.WithTimeout(ctx, 20*time.Second)
	if err := one.gw.Shutdown(drain); err != nil {
		t.Errorf("Shutdown returned %v", err)
	}
	done()
	ready()
	one = two
	if told := oracle.Check().Told; told > 0 {
		t.Errorf("%d sessions were told that they are over by a drain", told)
	}

	rest(ctx, time.Second)
	three := start("three")
	move("three")
	two.js.Conn().Close() // as a kill of its process does: nothing of it comes through any more
	for _, l := range network.Links() {
		l.Kill()
	}
	one = three
	eventually(t, "somebody has left", func() error {
		if three.gw.Stats().Sessions == 0 {
			return errors.New("nobody is there")
		}
		return nil
	})
	ready()
	rest(ctx, 500*time.Millisecond)
	stop()
	load.Wait()
	arrives()
	r := oracle.Check()
	t.Log(r)
	if r.Told > 0 || r.Resumes < 2*clients || r.Sessions != clients {
		t.Errorf("%v", r)
	}
}
