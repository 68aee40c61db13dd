package nats_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
)

// One event, from Publish to the feed of another node, with a server of its own process that writes to a disk.
func BenchmarkEvent(b *testing.B) {
	addr := newProcess(b).Addr()
	from := openBroker(b, connect(b, addr), "bench", nats.BrokerOptions{})
	to := openBroker(b, connect(b, addr), "bench", nats.BrokerOptions{})
	came := make(chan struct{}, 1)
	f, err := to.Open(b.Context(), func(gateway.Record) { came <- struct{}{} })
	if err == nil {
		_, err = f.Follow(b.Context(), "a")
	}
	if err != nil {
		b.Fatal(err)
	}
	rec := gateway.Record{Topic: "a", Type: "MESSAGE_CREATE", Data: []byte(`{"id":"1","content":"hello"}`)}
	for b.Loop() {
		if err := from.Publish(b.Context(), rec); err != nil {
			b.Fatal(err)
		}
		<-came
	}
}

// Events that many publish at once.
func BenchmarkPublish(b *testing.B) {
	from := openBroker(b, connect(b, newProcess(b).Addr()), "bench", nats.BrokerOptions{})
	rec := gateway.Record{Topic: "a", Type: "MESSAGE_CREATE", Data: []byte(`{"id":"1","content":"hello"}`)}
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := from.Publish(b.Context(), rec); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
