package postgres

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var instants = flag.Int("instants", 3, "how often TestCrash kills the server")

// TestCrash kills the server at random instants while a pipeline stores, indexes and delivers, and
// starts it again on what is on its disk. Every acknowledged message is there once and in order, and
// was delivered; none was delivered that is not there; what Add has told is found.
func TestCrash(t *testing.T) {
	s := servers.Postgres(t)
	store := opened(t, s.URL())
	w := &witness{acked: make(map[string]message.Message), unsure: make(map[string]bool), delivered: make(map[string][]message.Message)}
	p, err := message.New(message.Options{
		Store: store, Deliver: w.deliver,
		OnError: func(stage message.Stage, _ []message.Message, err error) { t.Error(stage, err) },
	})
	if err != nil {
		t.Fatal(err)
	}
	const channels, senders = 3, 8
	ctx, over := context.WithCancel(t.Context())
	defer over()
	var all sync.WaitGroup
	for author := range senders {
		all.Go(func() { w.chatter(ctx, t, p, author, channels) })
	}
	var added atomic.Int64
	all.Go(func() {
		for n := 1; ctx.Err() == nil; n++ {
			for store.Index().Add(ctx, []message.Message{said("9", n)}) != nil {
				if !rest(ctx) {
					return
				}
			}
			added.Store(int64(n))
		}
	})
	for range *instants {
		before := w.count()
		eventually(t, "ten more messages", func() bool { return w.count() >= before+10 })
		<-time.After(rand.N(300 * time.Millisecond))
		s.Kill()
		s.Start()
	}
	before := w.count()
	eventually(t, "ten more messages", func() bool { return w.count() >= before+10 })
	over()
	all.Wait()
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	w.judge(t, store, channels)
	for n := 1; n <= int(added.Load()); n++ {
		hits, err := store.Index().Search(t.Context(), message.Search{Text: fmt.Sprint(n), Channels: []string{"9"}, Limit: 9})
		if err != nil || len(hits) != 1 {
			t.Fatalf("message %d, which was added, is found as %v, %v", n, hits, err)
		}
	}
	t.Logf("%d kills, %d acknowledged, %d errors, %d indexed", *instants, w.count(), w.failed.Load(), added.Load())
}

// witness knows what was promised.
type witness struct {
	failed atomic.Int64

	mu        sync.Mutex
	acked     map[string]message.Message   // by their keys
	unsure    map[string]bool              // of which a sender heard that they may be stored
	delivered map[string][]message.Message // of each channel, in order
}

// key names a message as its sender does.
func key(m message.Message) string { return m.Channel + "/" + m.Author + "/" + m.Nonce }

func (w *witness) deliver(_ context.Context, channel string, batch []message.Message) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delivered[channel] = append(w.delivered[channel], batch...)
	return nil
}

func (w *witness) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.acked)
}

// rest waits a little before the next try, and reports whether there is to be one.
func rest(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(20 * time.Millisecond):
		return true
	}
}

// chatter sends one message after another, each until it is acknowledged.
func (w *witness) chatter(ctx context.Context, t *testing.T, p *message.Pipeline, author, channels int) {
	for n := 1; ctx.Err() == nil; n++ {
		m := message.Message{Channel: fmt.Sprint(n % channels), Author: fmt.Sprint(author), Nonce: fmt.Sprint(n), Content: fmt.Sprintf("%d of %d", n, author)}
		for ctx.Err() == nil {
			got, err := p.Send(ctx, m)
			if err == nil {
				w.mu.Lock()
				w.acked[key(m)] = got
				w.mu.Unlock()
				break
			}
			w.failed.Add(1)
			w.mu.Lock()
			w.unsure[key(m)] = true
			w.mu.Unlock()
			var refusal *message.Refusal
			if errors.As(err, &refusal) && refusal.Code != message.CodeUnavailable && refusal.Code != message.CodeBusy {
				t.Errorf("%v", err)
				return
			}
			rest(ctx)
		}
	}
}

// judge compares what is stored with what was promised.
func (w *witness) judge(t *testing.T, store *Store, channels int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored := make(map[string]message.Message)
	for channel := range channels {
		name, there := fmt.Sprint(channel), make(map[message.ID]bool)
		for q := (message.Query{After: 1, Limit: message.MaxPage}); ; {
			page, err := store.Page(t.Context(), name, q)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range page {
				if twin, twice := stored[key(m)]; twice {
					t.Errorf("%s is there as %d and as %d", key(m), twin.ID, m.ID)
				}
				if m.ID <= q.After {
					t.Errorf("%d comes after %d", m.ID, q.After)
				}
				stored[key(m)], there[m.ID], q.After = m, true, m.ID
			}
			if len(page) < q.Limit {
				break
			}
		}
		newest, seen := message.ID(0), make(map[message.ID]bool)
		for _, m := range w.delivered[name] {
			if !there[m.ID] {
				t.Errorf("%d was delivered and is not there", m.ID)
			}
			if m.ID <= newest && !w.unsure[key(m)] { // else it was delivered when it was sent again
				t.Errorf("channel %s: %d was delivered after %d", name, m.ID, newest)
			}
			newest, seen[m.ID] = max(newest, m.ID), true
		}
		for _, m := range w.acked {
			if m.Channel == name && !seen[m.ID] {
				t.Errorf("%d was acknowledged and not delivered", m.ID)
			}
		}
	}
	for k, m := range w.acked {
		if s := stored[k]; s.ID != m.ID || s.Content != m.Content {
			t.Errorf("%s was acknowledged as %d %q and is there as %d %q", k, m.ID, m.Content, s.ID, s.Content)
		}
	}
	for author := range 8 { // each said one thing after another
		for n := channels + 1; ; n++ {
			m, there := stored[fmt.Sprintf("%d/%d/%d", n%channels, author, n)]
			if !there {
				break
			}
			if before := stored[fmt.Sprintf("%d/%d/%d", n%channels, author, n-channels)]; before.ID >= m.ID {
				t.Errorf("%s is there as %d, behind what was said after it", key(m), before.ID)
			}
		}
	}
}
