package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// benchBroker is a node on a real broker, and what tells that its topic's records have come.
func benchBroker(b *testing.B) (gateway.Broker, gateway.Position, <-chan gateway.Record) {
	k := openBroker(b, brokerOptions(broker(b).Addr()))
	got := make(chan gateway.Record, 1<<20)
	feed, err := k.Open(b.Context(), func(rec gateway.Record) { got <- rec })
	if err != nil {
		b.Fatal(err)
	}
	at, err := feed.Follow(b.Context(), "a")
	if err != nil {
		b.Fatal(err)
	}
	publish(b, k, "a", 0, 100)
	for range 100 {
		<-got
	}
	return k, at, got
}

// From the call of Publish until the record is delivered, one at a time.
func BenchmarkRoundTrip(b *testing.B) {
	k, _, got := benchBroker(b)
	for b.Loop() {
		if err := k.Publish(b.Context(), number("a", 0)); err != nil {
			b.Fatal(err)
		}
		<-got
	}
}

// From 64 goroutines at once.
func BenchmarkPublish(b *testing.B) {
	k, _, got := benchBroker(b)
	b.SetParallelism(32)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := k.Publish(b.Context(), number("a", 0)); err != nil {
				b.Error(err)
			}
		}
	})
	for range b.N {
		<-got
	}
}

// Since of 100 records.
func BenchmarkSince(b *testing.B) {
	k, at, _ := benchBroker(b)
	for b.Loop() {
		if recs, err := k.Since(b.Context(), at); err != nil || len(recs) != 100 {
			b.Fatal(len(recs), err)
		}
	}
}
