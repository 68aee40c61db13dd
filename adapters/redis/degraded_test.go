package redis_test

import (
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/degraded"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/presence"
)

// Redis is killed and started again: the gateway says degraded, keeps its sessions, and they miss nothing.
func TestDegraded(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	client := connect(t, s.Addr())
	people := redis.NewPresence(client, "degraded", redis.PresenceOptions{Timeout: time.Second})
	t.Cleanup(func() { people.Close() })
	b := broker(t, client, "degraded", redis.BrokerOptions{})
	p, err := redis.NewPublisher(t.Context(), connect(t, s.Addr()), "degraded", redis.BrokerOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	degraded.Test(t, degraded.World{
		Options: gateway.Options{
			Broker: b, Sessions: sessions(t, client, "degraded"), Presence: presence.Options{Store: people},
			Limits: gateway.Limits{Lease: 3 * time.Second},
		},
		Publisher: p, Down: s.Kill, Up: s.Start, Parts: []string{"broker", "sessions", "presence"},
	})
	if err := b.Err(); err != nil {
		t.Errorf("the broker still says %v", err)
	}
}
