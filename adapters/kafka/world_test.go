package kafka_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// sessionTimeout is when a death is noticed. It has to be long enough for a machine that is busy.
const sessionTimeout = 2 * time.Second

// fake is the address of a Kafka of this process.
func fake(t testing.TB) string {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster.ListenAddrs()[0]
}

// broker is a Kafka broker.
func broker(t testing.TB) *servers.Server {
	t.Helper()
	return servers.Kafka(t, "group.min.session.timeout.ms=100", "auto.create.topics.enable=false")
}

var topics atomic.Int64

// options are those of a queue that nobody has used, at an address.
func options(addr string) kafka.Options {
	return kafka.Options{
		Brokers: []string{addr}, Topic: fmt.Sprint("queue-", topics.Add(1)), Partitions: 8, Replication: 1,
		Client: []kgo.Opt{kgo.SessionTimeout(sessionTimeout), kgo.HeartbeatInterval(100 * time.Millisecond)},
	}
}

func open(t testing.TB, o kafka.Options) *kafka.Queue {
	t.Helper()
	q, err := kafka.Open(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// rest waits.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// soon is a context for what must not take long, however busy the machine is.
func soon(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func put(t testing.TB, q *kafka.Queue, key string, from, to int) {
	t.Helper()
	var items []message.Item
	for n := from; n < to; n++ {
		items = append(items, message.Item{Key: key, Data: fmt.Append(nil, n)})
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := q.Put(ctx, items...); err != nil {
		t.Errorf("put: %v", err)
	}
}

// take takes n items, in as many calls as that needs.
func take(t testing.TB, q *kafka.Queue, n int) (all []message.Item) {
	t.Helper()
	for len(all) < n {
		items, err := q.Take(soon(t), n-len(all))
		if err != nil {
			t.Fatalf("with %d of %d items: %v", len(all), n, err)
		}
		all = append(all, items...)
	}
	return all
}

// show is "data:tries" of items.
func show(items []message.Item) (text string) {
	for _, it := range items {
		text += fmt.Sprintf("%s:%d ", it.Data, it.Tries)
	}
	return text
}
