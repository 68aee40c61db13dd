package sqlite_test

import (
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// What a message costs where several channels are written to at a time, and where the caller
// already has many of one channel.
func BenchmarkAppend(b *testing.B) {
	for _, channels := range []int{1, 16, 64} {
		b.Run(fmt.Sprint("channels-", channels), func(b *testing.B) {
			s := open(b, filepath.Join(b.TempDir(), "chat.db"))
			var last atomic.Uint64
			b.SetParallelism(channels) // times GOMAXPROCS
			b.RunParallel(func(p *testing.PB) {
				for p.Next() {
					id := last.Add(1)
					if err := s.Append(b.Context(), fmt.Sprint(id%uint64(channels)), one(message.ID(id), text)); err != nil {
						b.Error(err)
					}
				}
			})
		})
	}
	b.Run("batches-of-100", func(b *testing.B) {
		fill(b, open(b, filepath.Join(b.TempDir(), "chat.db")), b.N)
	})
}

const text = "the quick brown fox jumps over the lazy dog, and so on until it is as long as what people say"

// fill appends n messages in batches.
func fill(b *testing.B, s *sqlite.Store, n int) {
	for from := 0; from < n; from += 100 {
		var batch []message.Message
		for i := from; i < min(from+100, n); i++ {
			batch = append(batch, message.Message{ID: message.ID(i + 1), Author: "42", Content: fmt.Sprint(text, " ", i)})
		}
		if err := s.Append(b.Context(), fmt.Sprint(from/100%16), batch); err != nil {
			b.Fatal(err)
		}
	}
}

// What a search for a word that is in every message, and in one, costs among 100,000.
func BenchmarkSearch(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "chat.db"))
	fill(b, s, 100_000)
	for name, search := range map[string]message.Search{
		"everywhere": {Text: "fox", Limit: 25}, "two": {Text: "fox dog", Limit: 25}, "once": {Text: "77777", Limit: 25}, "channel": {Text: "dog", Channels: []string{"3"}, Limit: 25},
		"nobody": {Text: "fox", Author: "nobody", Limit: 25},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Search(b.Context(), search); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
