package nats_test

import (
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/degraded"
)

// NATS is killed and started again: the gateway says degraded, keeps its sessions, and they miss nothing.
func TestDegraded(t *testing.T) {
	t.Parallel()
	s := newProcess(t)
	js := connect(t, s.Addr())
	p, err := nats.NewPublisher(t.Context(), connect(t, s.Addr()), "degraded", nats.BrokerOptions{Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	degraded.Test(t, degraded.World{
		Options: gateway.Options{
			Broker:   openBroker(t, js, "degraded", nats.BrokerOptions{Logger: quiet}),
			Sessions: openSessions(t, js, "degraded", nats.StoreOptions{}),
			Limits:   gateway.Limits{Lease: 3 * time.Second},
		},
		Publisher: p, Down: s.Kill, Up: s.Start, Parts: []string{"broker", "sessions"},
	})
}
