package nats_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// watch is a feed that keeps what it is given, by topic.
type watch struct {
	gateway.Feed
	mu   sync.Mutex
	got  map[string][]string         // data, or "gap"
	last gateway.Position            // of what came last
	ends map[string]gateway.Position // by topic
	bad  error
}

func watching(t testing.TB, b *nats.Broker, topics ...string) *watch {
	t.Helper()
	w := &watch{got: make(map[string][]string), ends: make(map[string]gateway.Position)}
	var err error
	if w.Feed, err = b.Open(t.Context(), w.deliver); err != nil {
		t.Fatal(err)
	}
	for _, topic := range topics {
		if _, err := w.Follow(t.Context(), topic); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

func (w *watch) deliver(rec gateway.Record) {
	w.mu.Lock()
	defer w.mu.Unlock()
	text := string(rec.Data)
	if rec.Gap {
		text = "gap"
	} else if end := w.ends[rec.Topic]; rec.Position.Epoch == end.Epoch && rec.Position.Offset <= end.Offset {
		w.bad = fmt.Errorf("%+v came behind %+v", rec.Position, end)
	}
	w.last, w.ends[rec.Topic] = rec.Position, rec.Position
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
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.bad != nil {
		t.Error(w.bad)
	}
}

// numbers is the text of n to m-1.
func numbers(n, m int) string {
	var all []string
	for ; n < m; n++ {
		all = append(all, fmt.Sprint(n))
	}
	return strings.Join(all, " ")
}

// publish publishes numbers n to m-1, each until it is taken.
func publish(t testing.TB, b *nats.Broker, topic string, n, m int) {
	t.Helper()
	for ; n < m; n++ {
		err := b.Publish(context.Background(), gateway.Record{Topic: topic, Type: "N", Data: fmt.Append(nil, n)})
		if err != nil && !errors.Is(err, gateway.ErrClosed) {
			t.Errorf("publish %d: %v", n, err)
		}
	}
}
