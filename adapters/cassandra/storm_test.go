package cassandra

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

const channels, senders = 3, 8

// storm strikes at random instants while a pipeline stores and delivers and a moderator edits and
// deletes. Every acknowledged message is there once, in order, and was delivered; none was delivered
// that is not there; what was edited or deleted is.
func storm(t *testing.T, s *Store, strike func(*witness)) {
	store := namespaced{s, fresh("storm") + "/"}
	began := time.Now()
	w := &witness{one: make(chan struct{}), acked: make(map[string]message.Message), uncertain: make(map[string]bool), delivered: make(map[string][]message.Message)}
	p, err := message.New(message.Options{
		Store: store, Deliver: w.deliver,
		OnError: func(stage message.Stage, _ []message.Message, err error) { t.Error(stage, err) },
	})
	must(t, err)
	ctx, over := context.WithCancel(t.Context())
	defer over()
	var all sync.WaitGroup
	defer all.Wait()
	defer over()
	for author := range senders {
		all.Go(func() { w.chatter(ctx, t, p, author) })
	}
	var log moderated
	all.Go(func() { log.moderate(ctx, t, store) })
	for range *instants {
		w.awaitMore(t)
		<-time.After(rand.N(300 * time.Millisecond))
		w.awaitOne(t)
		strike(w)
	}
	w.awaitMore(t)
	over()
	all.Wait()
	must(t, p.Close(within(t, time.Minute)))
	w.judge(t, store)
	log.judge(t, store)
	t.Logf("%d strikes in %v, %d acknowledged: %d lost, %d twice, %d out of order; %d tries failed; %d moderated, %d tries failed",
		*instants, time.Since(began).Round(time.Second), w.count(), w.lost, w.twice, w.disorder, w.failed, len(log.want), log.failed)
}

// witness knows what was promised.
type witness struct {
	one chan struct{} // gets something, if somebody waits, the moment that a message is acknowledged

	mu                    sync.Mutex
	failed                int
	lost, twice, disorder int                          // what judge found
	acked                 map[string]message.Message   // by channel, author and nonce
	uncertain             map[string]bool              // whose sender was told once that it may not be stored
	delivered             map[string][]message.Message // of each channel, in order
}

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

// awaitMore waits until messages get through that were not there before.
func (w *witness) awaitMore(t testing.TB) {
	t.Helper()
	before := w.count()
	eventually(t, "more messages", func() bool { return w.count() >= before+4*senders })
}

// awaitOne waits for an acknowledgement, so that what is struck then has just been promised: a server
// that answers a little before it keeps is not given the time.
func (w *witness) awaitOne(t testing.TB) {
	t.Helper()
	select {
	case <-w.one:
	case <-within(t, 2*time.Minute).Done():
		t.Fatal("nothing is acknowledged")
	}
}

func key(m message.Message) string { return m.Channel + "/" + m.Author + "/" + m.Nonce }

// chatter sends one message after another, each until it is acknowledged, to each channel in turn.
func (w *witness) chatter(ctx context.Context, t *testing.T, p *message.Pipeline, author int) {
	for n := 0; ctx.Err() == nil; n++ {
		m := message.Message{Channel: fmt.Sprint(n % channels), Author: fmt.Sprint(author), Nonce: fmt.Sprint(n), Content: fmt.Sprintf("%d of %d", n, author)}
		for ctx.Err() == nil {
			got, err := p.Send(ctx, m)
			w.mu.Lock()
			if err == nil {
				w.acked[key(m)] = got
				w.mu.Unlock()
				select {
				case w.one <- struct{}{}:
				default:
				}
				break
			}
			w.failed++
			w.uncertain[key(m)] = true
			w.mu.Unlock()
			var refusal *message.Refusal
			if errors.As(err, &refusal) && refusal.RetryAfter == 0 {
				t.Errorf("%+v is refused for good: %v", m, err)
				return
			}
			pause(ctx)
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(20 * time.Millisecond):
	}
}

// judge compares what is stored with what was promised.
func (w *witness) judge(t *testing.T, store message.Store) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stored := make(map[string]message.ID)
	there := make(map[message.ID]bool)
	for channel := range channels {
		name := fmt.Sprint(channel)
		last := make(map[string]int) // of each author
		for q := (message.Query{After: 1, Limit: message.MaxPage}); ; {
			page, err := store.Page(within(t, time.Minute), name, q)
			must(t, err)
			for _, m := range page {
				if twin, twice := stored[key(m)]; twice {
					w.twice++
					t.Errorf("%s is there as %d and as %d", key(m), twin, m.ID)
				}
				var n, author int
				if _, err := fmt.Sscanf(m.Content, "%d of %d", &n, &author); err != nil || fmt.Sprint(author) != m.Author || fmt.Sprint(n) != m.Nonce {
					t.Errorf("%s is there as %q", key(m), m.Content)
				}
				if n < last[m.Author] || m.ID <= q.After {
					w.disorder++
					t.Errorf("%s is there behind %d of its author, as %d behind %d", key(m), last[m.Author], m.ID, q.After)
				}
				stored[key(m)], there[m.ID], last[m.Author], q.After = m.ID, true, n, m.ID
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
			// What was stored without an answer is delivered when it is sent again.
			if m.ID <= newest && !seen[m.ID] && !w.uncertain[key(m)] {
				t.Errorf("channel %s: %s was delivered as %d after %d", name, key(m), m.ID, newest)
			}
			newest, seen[m.ID] = max(newest, m.ID), true
		}
		for _, m := range w.acked {
			if m.Channel == name && !seen[m.ID] {
				t.Errorf("%s was acknowledged and not delivered", key(m))
			}
		}
	}
	for k, m := range w.acked {
		if stored[k] != m.ID {
			w.lost++
			t.Errorf("%s was acknowledged as %d and is there as %d", k, m.ID, stored[k])
		}
	}
}

// moderated is what became of messages, as far as it was acknowledged.
type moderated struct {
	want   map[message.ID]string // content; "" for what was deleted
	failed int
}

// moderate appends messages, edits every second one and deletes every third, each until it is acknowledged.
func (l *moderated) moderate(ctx context.Context, t *testing.T, store message.Store) {
	l.want = make(map[message.ID]string)
	until := func(id message.ID, content string, do func() error) {
		for ctx.Err() == nil {
			err := do()
			if err == nil {
				l.want[id] = content
				return
			}
			delete(l.want, id) // it may have been done
			l.failed++
			if errors.Is(err, message.ErrNotFound) {
				t.Errorf("%d is not there: %v", id, err)
				return
			}
			pause(ctx)
		}
	}
	for n := 1; ctx.Err() == nil; n++ {
		m := said("mod", n)
		until(m.ID, m.Content, func() error { return store.Append(ctx, "mod", []message.Message{m}) })
		if n%2 == 0 {
			m.Content = fmt.Sprint("edited ", n)
			until(m.ID, m.Content, func() error { return store.Edit(ctx, m) })
		}
		if n%3 == 0 {
			unknown := false
			until(m.ID, "", func() error {
				deleted, err := store.Delete(ctx, "mod", m.ID)
				unknown = unknown || err != nil
				if err == nil && len(deleted) == 0 && !unknown && ctx.Err() == nil {
					t.Errorf("nobody deleted %d", n)
				}
				return err
			})
		}
	}
}

func (l *moderated) judge(t *testing.T, store message.Store) {
	got := make(map[message.ID]string)
	for q := (message.Query{After: 1, Limit: message.MaxPage}); ; {
		page, err := store.Page(within(t, time.Minute), "mod", q)
		must(t, err)
		for _, m := range page {
			got[m.ID], q.After = m.Content, m.ID
		}
		if len(page) < q.Limit {
			break
		}
	}
	for id, want := range l.want {
		if got[id] != want {
			t.Errorf("%d was acknowledged as %q and is there as %q", id, want, got[id])
		}
	}
}
