package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/degraded"
)

// A node is cut off from the brokers for a while, or they are killed and started again: its gateway says
// degraded, keeps its sessions, and they miss nothing.
func TestDegraded(t *testing.T) {
	test := func(t *testing.T, b *kafka.Broker, o kafka.BrokerOptions, down, up func()) {
		p, err := kafka.NewPublisher(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { p.Close() })
		degraded.Test(t, degraded.World{Options: gateway.Options{Broker: b}, Publisher: p, Down: down, Up: up, Parts: []string{"broker"}})
	}
	t.Run("cut off", func(t *testing.T) {
		t.Parallel()
		addr := fake(t)
		o := brokerOptions(addr)
		c, _, far := away(t, addr, o)
		test(t, far, o, func() { c.set(true) }, func() { c.set(false) })
	})
	t.Run("killed", func(t *testing.T) {
		t.Parallel()
		s := broker(t)
		o := brokerOptions(s.Addr())
		test(t, openBroker(t, o), o, s.Kill, s.Start)
	})
}
