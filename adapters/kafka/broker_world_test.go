package kafka_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// brokerOptions are those of a broker that nobody has used, at an address.
func brokerOptions(addr string) kafka.BrokerOptions {
	return kafka.BrokerOptions{
		Brokers: []string{addr}, Topic: fmt.Sprint("events-", topics.Add(1)), Replication: 1,
		Logger: slog.New(slog.DiscardHandler),
	}
}

func openBroker(t testing.TB, o kafka.BrokerOptions) *kafka.Broker {
	t.Helper()
	b, err := kafka.NewBroker(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// eventually waits until f returns nil.
func eventually(t testing.TB, what string, f func() error) {
	t.Helper()
	ctx := soon(t)
	err := f()
	for ; err != nil && ctx.Err() == nil; err = f() {
		rest(ctx, 10*time.Millisecond)
	}
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

// watch is a feed that keeps what it is given, by topic.
type watch struct {
	gateway.Feed
	mu   sync.Mutex
	got  map[string][]string // data, or "gap"
	last gateway.Position
}

func watching(t testing.TB, b *kafka.Broker, topics ...string) *watch {
	t.Helper()
	w := &watch{got: make(map[string][]string)}
	var err error
	if w.Feed, err = b.Open(t.Context(), w.deliver); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		w.follow(t, topic)
	}
	return w
}

func (w *watch) follow(t testing.TB, topic string) gateway.Position {
	t.Helper()
	at, err := w.Follow(soon(t), topic)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

func (w *watch) deliver(rec gateway.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := string(rec.Data)
	if rec.Gap {
		text = "gap"
	}
	w.last = rec.Position
	w.got[rec.Topic] = append(w.got[rec.Topic], text)
}

// of is what came of a topic.
func (w *watch) of(topic string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return strings.Join(w.got[topic], " ")
}

// has waits until just that has come of a topic.
func (w *watch) has(t testing.TB, topic, want string) {
	t.Helper()
	eventually(t, "what comes of "+topic, func() error {
		if got := w.of(topic); got != want {
			return fmt.Errorf("got %.300q, want %.300q", got, want)
		}
		return nil
	})
}

// numbers is the text of n to m-1.
func numbers(n, m int) string {
	var all []string
	for ; n < m; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, " ")
}

// number is record n of a topic.
func number(topic string, n int) gateway.Record {
	return gateway.Record{Topic: topic, Type: "N", Data: fmt.Append(nil, n)}
}

func publish(t testing.TB, b *kafka.Broker, topic string, n, m int) {
	t.Helper()
	for ; n < m; n++ {
		if err := b.Publish(soon(t), number(topic, n)); err != nil {
			t.Fatalf("publish %d: %v", n, err)
		}
	}
}
