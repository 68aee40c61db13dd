package nats_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// Who cannot know whether a Publish that failed has published the event publishes it again, from another
// process too, and after the server was killed: it is there once.
func TestRetryOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s := newProcess(t)
	one := openBroker(t, connect(t, s.Addr()), "again", nats.BrokerOptions{Logger: quiet})
	var mu sync.Mutex
	var got []string
	feed, err := one.Open(t.Context(), func(rec gateway.Record) {
		mu.Lock()
		defer mu.Unlock()
		got = append(got, string(rec.Data))
	})
	if err == nil {
		_, err = feed.Follow(t.Context(), "a")
	}
	if err != nil {
		t.Fatal(err)
	}
	p, err := nats.NewPublisher(t.Context(), connect(t, s.Addr()), "again", nats.BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	ev := gateway.Event{Type: "T", Data: 1, ID: "7"}
	rec, err := gateway.Seal("a", ev)
	if err != nil {
		t.Fatal(err)
	}
	if err := one.Publish(t.Context(), rec); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if one.Publish(short, rec) == nil {
		t.Error("there is no server")
	}
	s.Start()
	for range 2 {
		if err := p.Publish(t.Context(), "a", ev); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Publish(t.Context(), "a", gateway.Event{Type: "T", Data: 2}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "both have come, each once", func() error {
		mu.Lock()
		defer mu.Unlock()
		if fmt.Sprint(got) != "[1 2]" {
			return fmt.Errorf("got %v", got)
		}
		return nil
	})
}
