package redis_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// BenchmarkBroker publishes events of 400 bytes to 16 topics that one node follows, until all are heard.
func BenchmarkBroker(b *testing.B) {
	client := connect(b, servers.Redis(b).Addr())
	broker := broker(b, client, "bench", redis.BrokerOptions{})
	var heard atomic.Int64
	done := make(chan struct{}, 1)
	feed, err := broker.Open(b.Context(), func(gateway.Record) {
		if heard.Add(1) == int64(b.N) {
			done <- struct{}{}
		}
	})
	if err != nil {
		b.Fatal(err)
	}
	topics := strings.Fields("a aa aaa aaaa b bb bbb bbbb c cc ccc cccc d dd ddd dddd")
	for _, topic := range topics {
		if _, err := feed.Follow(b.Context(), topic); err != nil {
			b.Fatal(err)
		}
	}
	data := []byte(`"` + strings.Repeat("x", 398) + `"`)
	var next atomic.Uint64
	b.SetParallelism(64)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			rec := gateway.Record{Topic: topics[next.Add(1)%uint64(len(topics))], Type: "T", Data: data}
			if err := broker.Publish(context.Background(), rec); err != nil {
				b.Error(err)
				return
			}
		}
	})
	<-done
}

// BenchmarkLimiter takes one token for each of many keys from many goroutines.
func BenchmarkLimiter(b *testing.B) {
	limiter := redis.NewLimiter(connect(b, servers.Redis(b).Addr()), "bench", redis.LimiterOptions{})
	b.Cleanup(func() { limiter.Close() })
	rate := gateway.Rate{Burst: 1 << 30, Per: time.Hour}
	keys := strings.Fields("a b c d e f g h i j k l m n o p")
	var next atomic.Uint64
	b.SetParallelism(64)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := limiter.Take(context.Background(), keys[next.Add(1)%uint64(len(keys))], rate, 1); err != nil {
				b.Error(err)
				return
			}
		}
	})
}
