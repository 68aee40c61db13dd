package redis_test

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// Who cannot know whether a Publish that failed has published the event publishes it again, from another
// process too, and after the server was killed: it is there once.
func TestRetryOfAnotherProcess(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	one := broker(t, connect(t, s.Addr()), "again", redis.BrokerOptions{Timeout: 100 * time.Millisecond})
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
	p, err := redis.NewPublisher(t.Context(), connect(t, s.Addr()), "again", redis.BrokerOptions{})
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
	if one.Publish(t.Context(), rec) == nil {
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
