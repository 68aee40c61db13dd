package kafka_test

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var instants = flag.Int("instants", 2, "at how many random instants each crash test kills something")

// The broker is killed under load, and comes back with its data: every message that was acknowledged
// is stored once, in order, and nothing is delivered that is not stored.
func TestCrashBroker(t *testing.T) {
	t.Parallel()
	const channels, takers = 5, 2
	broker := broker(t)
	o := options(broker.Addr())
	store := message.NewMemoryStore()
	quiet := func(message.Stage, []message.Message, error) {}
	pipeline := func(node int, deliver func(context.Context, string, []message.Message) error) *message.Pipeline {
		p, err := message.New(message.Options{Store: store, Queue: open(t, o), IDs: message.NewIDs(node), Deliver: deliver, OnError: quiet})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	var mu sync.Mutex
	delivered := make(map[string]map[message.ID]bool)
	deliver := func(_ context.Context, channel string, batch []message.Message) error {
		mu.Lock()
		defer mu.Unlock()
		if delivered[channel] == nil {
			delivered[channel] = make(map[message.ID]bool)
		}
		for _, m := range batch {
			delivered[channel][m.ID] = true
		}
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var consuming, sending sync.WaitGroup
	for n := range takers {
		p := pipeline(n+1, deliver)
		consuming.Go(func() { p.Consume(ctx) })
	}
	sender := pipeline(takers+1, nil)
	var stop atomic.Bool
	acked := make([]int, channels)
	for c := range channels {
		sending.Go(func() {
			for n := 0; !stop.Load(); n++ {
				m := message.Message{Channel: fmt.Sprint(c), Author: "ann", Content: fmt.Sprint(n), Nonce: fmt.Sprint(n)}
				for {
					once, cancel := context.WithTimeout(ctx, 2*time.Second)
					_, err := sender.Send(once, m)
					cancel()
					if err == nil {
						break
					}
					if ctx.Err() != nil {
						return
					}
				}
				acked[c] = n + 1
				rest(ctx, time.Duration(rand.IntN(10))*time.Millisecond)
			}
		})
	}
	for range *instants {
		rest(ctx, time.Duration(200+rand.IntN(2000))*time.Millisecond)
		broker.Kill()
		broker.Start()
	}
	rest(ctx, 500*time.Millisecond)
	stop.Store(true)
	sending.Wait()
	late, done := context.WithTimeout(ctx, time.Minute)
	defer done()
	total := 0
	for c := range channels {
		for len(history(t, store, fmt.Sprint(c))) < acked[c] && late.Err() == nil {
			rest(late, 50*time.Millisecond)
		}
		total += acked[c]
	}
	cancel()
	consuming.Wait()
	for c := range channels {
		channel := fmt.Sprint(c)
		stored := history(t, store, channel)
		if len(stored) != acked[c] {
			t.Errorf("channel %s: %d messages were acknowledged, %d are stored", channel, acked[c], len(stored))
		}
		for n, m := range stored {
			if m.Content != fmt.Sprint(n) {
				t.Fatalf("channel %s: message %d is %q", channel, n, m.Content)
			}
			delete(delivered[channel], m.ID)
		}
		if len(delivered[channel]) > 0 {
			t.Errorf("channel %s: %d messages were delivered and are not stored", channel, len(delivered[channel]))
		}
	}
	t.Logf("%d messages, %d kills", total, *instants)
}

func history(t *testing.T, store message.Store, channel string) (all []message.Message) {
	t.Helper()
	for q := (message.Query{After: 1, Limit: message.MaxPage}); ; q.After = all[len(all)-1].ID {
		page, err := store.Page(context.Background(), channel, q)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, page...)
		if len(page) < q.Limit {
			return all
		}
	}
}
