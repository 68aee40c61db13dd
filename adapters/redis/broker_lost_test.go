package redis_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"testing"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// gate is where a client's connections go, whatever address it has; "" refuses them.
type gate struct{ to atomic.Value }

var errGate = errors.New("the gate is shut")

func connectThrough(t *testing.T, g *gate, addr string) goredis.UniversalClient {
	g.to.Store(addr)
	client := goredis.NewClient(&goredis.Options{Addr: addr, ContextTimeoutEnabled: true, Dialer: func(ctx context.Context, network, _ string) (net.Conn, error) {
		addr := g.to.Load().(string)
		if addr == "" {
			return nil, errGate
		}
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	t.Cleanup(func() { client.Close() })
	return client
}

func say(t *testing.T, b gateway.Broker, topic string, from, to int) {
	t.Helper()
	for n := from; n < to; n++ {
		if err := b.Publish(t.Context(), gateway.Record{Topic: topic, Type: "N", Data: fmt.Append(nil, n)}); err != nil {
			t.Fatal(err)
		}
	}
}

// awaits waits for what an audience hears of a topic. A gap is -1.
func (a *audience) awaits(t *testing.T, topic string, want ...int) {
	t.Helper()
	eventually(t, topic, func() error {
		a.mu.Lock()
		defer a.mu.Unlock()
		if got := fmt.Sprint(a.got[topic]); got != fmt.Sprint(want) {
			return fmt.Errorf("heard are %s, want %v", got, want)
		}
		return nil
	})
}

// A failover loses what the replica had not yet. Nobody takes for it what comes in its place: all are told, by
// an epoch that begins, those too that had not heard it.
func TestBrokerLostTail(t *testing.T) {
	t.Parallel()
	master := servers.Redis(t)
	replica := servers.Redis(t)
	host, port, _ := net.SplitHostPort(master.Addr())
	aside := connect(t, replica.Addr())
	if err := aside.SlaveOf(t.Context(), host, port).Err(); err != nil {
		t.Fatal(err)
	}
	var g, deafGate gate
	o := redis.BrokerOptions{Partitions: 1}
	talks, silent := broker(t, connectThrough(t, &g, master.Addr()), "b", o), broker(t, connectThrough(t, &deafGate, master.Addr()), "b", o)
	hears, misses := listen(t, talks, []string{"a", "quiet"}), listen(t, silent, []string{"a"})
	say(t, talks, "a", 1, 4)
	misses.awaits(t, "a", 1, 2, 3)
	at, err := hears.Follow(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the replica", func() error {
		n, err := aside.Exists(t.Context(), "gatehouse:broker:{b/0}:head").Result()
		have, _ := aside.HGet(t.Context(), "gatehouse:broker:{b/0}:head", "offset").Result()
		if err != nil || n != 1 || have != fmt.Sprint(at.Offset) {
			return fmt.Errorf("it has %q, %v", have, err)
		}
		return nil
	})
	if err := aside.SlaveOf(t.Context(), "no", "one").Err(); err != nil { // from here on it lacks everything
		t.Fatal(err)
	}
	deafGate.to.Store("") // and this one hears nothing of it
	if err := connect(t, master.Addr()).ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
		t.Fatal(err)
	}
	say(t, talks, "a", 4, 7)
	hears.awaits(t, "a", 1, 2, 3, 4, 5, 6)
	beyond, err := hears.Follow(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	g.to.Store(replica.Addr())
	master.Kill()
	hears.awaits(t, "a", 1, 2, 3, 4, 5, 6, -1)
	hears.awaits(t, "quiet", -1)
	say(t, talks, "a", 7, 9)
	hears.awaits(t, "a", 1, 2, 3, 4, 5, 6, -1, 7, 8)
	deafGate.to.Store(replica.Addr())
	misses.awaits(t, "a", 1, 2, 3, -1)
	say(t, talks, "a", 9, 10)
	misses.awaits(t, "a", 1, 2, 3, -1, 9)
	for _, from := range []gateway.Position{at, beyond} {
		if recs, err := talks.Since(t.Context(), from); !errors.Is(err, gateway.ErrGap) {
			t.Errorf("from Since(%+v): %v, %v, want ErrGap", from, recs, err)
		}
	}
}

// A node that was cut off for longer than the history reaches says of which topics.
func TestBrokerGap(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	var g gate
	o := redis.BrokerOptions{Partitions: 1, History: 100}
	away, here := broker(t, connectThrough(t, &g, s.Addr()), "b", o), broker(t, connect(t, s.Addr()), "b", o)
	a := listen(t, away, []string{"a", "b"})
	say(t, here, "a", 1, 3)
	a.awaits(t, "a", 1, 2)
	kill := connect(t, s.Addr())
	cut := func() {
		g.to.Store("")
		if err := kill.ClientKillByFilter(t.Context(), "TYPE", "pubsub").Err(); err != nil {
			t.Fatal(err)
		}
	}
	cut()
	say(t, here, "a", 3, 50)
	g.to.Store(s.Addr())
	want := []int{1, 2}
	for n := 3; n < 50; n++ {
		want = append(want, n)
	}
	a.awaits(t, "a", want...) // what the history holds is not lost
	a.awaits(t, "b")
	cut()
	say(t, here, "c", 0, 500)
	say(t, here, "a", 50, 52)
	g.to.Store(s.Addr())
	a.awaits(t, "a", append(want, -1)...)
	a.awaits(t, "b", -1)
	say(t, here, "a", 52, 53)
	a.awaits(t, "a", append(want, -1, 52)...)
}

// A record goes once to each node that follows its topic, and to no other.
func TestBrokerOncePerNode(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	o := redis.BrokerOptions{Partitions: 4}
	b := broker(t, client, "b", o)
	topics := []string{"a", "b", "c", "d", "e"}
	for i := range 5 { // node i follows the first i topics
		listen(t, broker(t, client, "b", o), topics[:i])
	}
	for i, topic := range topics {
		nodes, err := client.PubSubShardNumSub(t.Context(), b.Channel(topic)).Result()
		if got := nodes[b.Channel(topic)]; err != nil || int(got) != 4-i {
			t.Errorf("%s goes to %d nodes, %v, want %d", topic, got, err, 4-i)
		}
	}
}

// A publication of which nobody knows what became is made again, and there once.
func TestBrokerPublishTwice(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	client := goredis.NewClient(&goredis.Options{Addr: s.Addr(), ContextTimeoutEnabled: true})
	t.Cleanup(func() { client.Close() })
	var forget atomic.Int64
	client.AddHook(forgetful{&forget})
	b := broker(t, client, "b", redis.BrokerOptions{})
	a := listen(t, broker(t, connect(t, s.Addr()), "b", redis.BrokerOptions{}), []string{"a"})
	say(t, b, "a", 1, 2)
	forget.Store(3)
	say(t, b, "a", 2, 4)
	if left := forget.Load(); left != 0 {
		t.Errorf("%d answers are still to be forgotten", left)
	}
	a.awaits(t, "a", 1, 2, 3)
}

// forgetful is a network that loses answers.
type forgetful struct{ left *atomic.Int64 }

var errForgotten = errors.New("the answer is lost")

func (f forgetful) DialHook(next goredis.DialHook) goredis.DialHook          { return next }
func (f forgetful) ProcessHook(next goredis.ProcessHook) goredis.ProcessHook { return next }

func (f forgetful) ProcessPipelineHook(next goredis.ProcessPipelineHook) goredis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []goredis.Cmder) error {
		err := next(ctx, cmds)
		if f.left.Load() <= 0 {
			return err
		}
		f.left.Add(-1)
		for _, c := range cmds {
			c.SetErr(errForgotten)
		}
		return errForgotten
	}
}
