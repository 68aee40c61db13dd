package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

var errDead = errors.New("this node is dead")

// node is what a gateway has of the broker and the store, until it is killed.
type node struct {
	*kafka.Broker
	store *gateway.MemorySessions
	dead  atomic.Bool
}

func (n *node) alive(err error) error {
	if n.dead.Load() {
		return errDead
	}
	return err
}

func (n *node) Open(ctx context.Context, deliver func(gateway.Record)) (gateway.Feed, error) {
	return n.Broker.Open(ctx, func(rec gateway.Record) {
		if !n.dead.Load() {
			deliver(rec)
		}
	})
}

func (n *node) Save(ctx context.Context, node string, recs ...gateway.StoredSession) error {
	if err := n.alive(nil); err != nil {
		return err
	}
	return n.alive(n.store.Save(ctx, node, recs...))
}

func (n *node) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	if err := n.alive(nil); err != nil {
		return gateway.StoredSession{}, err
	}
	rec, err := n.store.Take(ctx, node, id)
	return rec, n.alive(err)
}

func (n *node) Delete(ctx context.Context, node string, ids ...string) error {
	if err := n.alive(nil); err != nil {
		return err
	}
	return n.alive(n.store.Delete(ctx, node, ids...))
}

func (n *node) Renew(ctx context.Context, node string, lease time.Duration) error {
	if err := n.alive(nil); err != nil {
		return err
	}
	return n.alive(n.store.Renew(ctx, node, lease))
}

// Two gateways share a broker and a store. One is drained, or killed, under load: its sessions go on at
// the other, and miss nothing.
func TestNodeGoes(t *testing.T) {
	for how, gone := range map[string]func(t *testing.T, gw *gateway.Gateway, n *node, network *gatewaytest.Network){
		"drained": func(t *testing.T, gw *gateway.Gateway, _ *node, _ *gatewaytest.Network) {
			if err := gw.Shutdown(soon(t)); err != nil {
				t.Error(err)
			}
		},
		"killed": func(_ *testing.T, _ *gateway.Gateway, n *node, network *gatewaytest.Network) {
			n.dead.Store(true)
			for _, l := range network.Links() {
				l.Kill()
			}
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			nodeGoes(t, gone)
		})
	}
}

func nodeGoes(t *testing.T, gone func(*testing.T, *gateway.Gateway, *node, *gatewaytest.Network)) {
	const clients = 6
	o := brokerOptions(fake(t))
	oracle, store := gatewaytest.NewOracle(), gateway.NewMemorySessions()
	network := gatewaytest.NewNetwork(gatewaytest.NetworkOptions{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	topics := []string{"guild:1", "guild:2", "guild:3", "guild:4"}
	var gateways []*gateway.Gateway
	var nodes []*node
	for _, addr := range []string{"a", "b"} {
		n := &node{Broker: openBroker(t, o), store: store}
		gw, err := gateway.New(gateway.Options{
			Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
				return gateway.User{ID: id.Token}, nil
			},
			Ready: func(ctx context.Context, s *gateway.Session) (any, error) {
				return nil, oracle.Subscribe(ctx, s, topics...)
			},
			Broker: n, Sessions: n, Logger: slog.New(slog.DiscardHandler),
			Limits: gateway.Limits{Lease: time.Second},
		})
		if err != nil {
			t.Fatal(err)
		}
		network.Serve(t, addr, gw)
		gateways, nodes = append(gateways, gw), append(nodes, n)
	}
	var working sync.WaitGroup
	var all []*gatewaytest.Client
	for i := range clients {
		c := network.Client(t, gatewaytest.ClientOptions{
			Addr: "a", Token: fmt.Sprint("user", i), Seed: uint64(i), Ext: true, Positions: true, Oracle: oracle,
		})
		all = append(all, c)
		working.Go(func() { c.Run(ctx) })
	}
	eventually(t, "everybody is there", func() error {
		if n := oracle.Check().Sessions; n < clients {
			return fmt.Errorf("%d sessions", n)
		}
		return nil
	})
	loading, stop := context.WithCancel(ctx)
	var load sync.WaitGroup
	for i, topic := range topics {
		load.Go(func() {
			for n := 0; loading.Err() == nil; n++ {
				if err := oracle.Publish(ctx, gateways[1], topic, gateway.Event{Type: "N", Data: n}); err != nil {
					t.Errorf("publish: %v", err)
				}
				rest(loading, time.Duration(5+i)*time.Millisecond)
			}
		})
	}
	rest(ctx, 300*time.Millisecond)
	for _, c := range all {
		c.Go("b")
	}
	gone(t, gateways[0], nodes[0], network)
	eventually(t, "everybody has come back", func() error {
		if r := oracle.Check(); r.Resumes < clients {
			return fmt.Errorf("%v", r)
		}
		return nil
	})
	stop()
	load.Wait()
	eventually(t, "everything has come", func() error { return oracle.Check().Err() })
	r := oracle.Check()
	if r.Told > 0 {
		t.Errorf("some are told that they lost something: %v", r)
	}
	t.Log(r)
	cancel()
	working.Wait()
}
