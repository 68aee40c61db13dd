package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/degraded"
)

// A node is cut off from the brokers for a while: its gateway says degraded, keeps its sessions, and they
// miss nothing.
func TestDegraded(t *testing.T) {
	t.Parallel()
	addr := fake(t)
	o := brokerOptions(addr)
	c, _, far := away(t, addr, o)
	p, err := kafka.NewPublisher(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	degraded.Test(t, degraded.World{
		Options: gateway.Options{Broker: far}, Publisher: p,
		Down: func() { c.set(true) }, Up: func() { c.set(false) }, Parts: []string{"broker"},
	})
}
