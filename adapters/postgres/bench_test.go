package postgres

import (
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// BenchmarkAppend stores messages of 100 characters, without waiting for a disk: see servers.Postgres.
func BenchmarkAppend(b *testing.B) {
	s := servers.Postgres(b)
	for _, n := range []int{1, 10, 100} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			store, next := opened(b, namespace(b, s)), 0
			batch := make([]message.Message, n)
			for b.Loop() {
				for i := range batch {
					batch[i] = said("7", next)
					batch[i].Content = fmt.Sprintf("%0100d", next)
					next++
				}
				if err := store.Append(b.Context(), "7", batch); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// BenchmarkRead reads the newest 50 of a channel that spoke in each of some months, and searches in it.
func BenchmarkRead(b *testing.B) {
	s := servers.Postgres(b)
	now := monthOf(time.Now())
	for _, months := range []int{1, 12, 120} {
		store := opened(b, namespace(b, s))
		for ago := range months {
			batch := make([]message.Message, 100)
			for i := range batch {
				batch[i] = message.Message{ID: message.ID((now - month(ago)).start() + int64(i)), Channel: "7", Content: fmt.Sprintf("message %d %d", ago, i)}
			}
			if err := store.Append(b.Context(), "7", batch); err != nil {
				b.Fatal(err)
			}
			if err := store.Index().Add(b.Context(), batch); err != nil {
				b.Fatal(err)
			}
		}
		for _, q := range []message.Query{{Limit: 50}, {Limit: 50, Before: message.ID(now.start())}, {Limit: 50, Around: message.ID(now.start())}} {
			b.Run(fmt.Sprintf("page=%+v/months=%d", q, months), func(b *testing.B) {
				for b.Loop() {
					if _, err := store.Page(b.Context(), "7", q); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		b.Run(fmt.Sprintf("search/months=%d", months), func(b *testing.B) {
			for b.Loop() {
				if _, err := store.Index().Search(b.Context(), message.Search{Text: "message 77", Channels: []string{"7"}, Limit: 25}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
