package message

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// delivered keeps what was delivered, by channel.
type delivered struct {
	mu  sync.Mutex
	ids map[string][]ID
}

func (d *delivered) deliver(_ context.Context, channel string, batch []Message) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ids == nil {
		d.ids = make(map[string][]ID)
	}
	for _, m := range batch {
		d.ids[channel] = append(d.ids[channel], m.ID)
	}
	return nil
}

func TestSend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d delivered
		store := NewMemoryStore()
		p, err := New(Options{Store: store, Index: NewMemoryIndex(), Deliver: d.deliver})
		if err != nil {
			t.Fatal(err)
		}
		var senders sync.WaitGroup
		for i := range 1000 {
			senders.Go(func() {
				for range 2 { // the second is a repetition
					m, err := p.Send(t.Context(), Message{Channel: fmt.Sprint(i % 7), Author: "ann", Content: fmt.Sprint("hello ", i), Nonce: fmt.Sprint(i)})
					if err != nil || m.ID == 0 {
						t.Errorf("%v, %v", m, err)
					}
				}
			})
		}
		senders.Wait()
		total := 0
		for channel, ids := range d.ids {
			page, err := store.Page(t.Context(), channel, Query{Limit: MaxPage})
			if err != nil || len(page) != len(ids) {
				t.Errorf("channel %s: %d stored, %d delivered, %v", channel, len(page), len(ids), err)
			}
			for i, m := range page {
				if m.ID != ids[i] {
					t.Fatalf("channel %s: message %d was delivered in place of %d", channel, ids[i], m.ID)
				}
			}
			total += len(ids)
		}
		if s := p.Stats(); total != 1000 || s.Repeated != 1000 {
			t.Errorf("%d messages, %+v", total, s)
		}
		if err := p.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := p.Send(t.Context(), Message{Channel: "1", Content: "late"}); !errors.Is(err, ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	})
}

func TestConsume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d delivered
		q, store := NewMemoryQueue(), NewMemoryStore()
		p, err := New(Options{Store: store, Queue: q, Deliver: d.deliver})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		for i := range 500 {
			if _, err := p.Send(ctx, Message{Channel: fmt.Sprint(i % 3), Content: fmt.Sprint(i)}); err != nil {
				t.Fatal(err)
			}
		}
		go p.Consume(ctx)
		synctest.Wait()
		cancel()
		n := 0
		for channel, ids := range d.ids {
			page, _ := store.Page(t.Context(), channel, Query{Limit: MaxPage})
			for i, m := range page {
				if m.ID != ids[i] || m.Content != fmt.Sprint(3*i+int(channel[0]-'0')) {
					t.Fatalf("channel %s: %d is %+v", channel, i, m)
				}
			}
			n += len(page)
		}
		if n != 500 {
			t.Errorf("%d stored", n)
		}
	})
}

// Who waits for what he has queued hears of it, or leaves.
func TestSendAndWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, err := New(Options{Store: NewMemoryStore(), Queue: NewMemoryQueue()})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		brief, enough := context.WithTimeout(ctx, time.Second)
		defer enough()
		if m, err := p.SendAndWait(brief, Message{Channel: "1", Content: "early", Nonce: "1"}); !errors.Is(err, context.DeadlineExceeded) || m.ID != 0 {
			t.Errorf("nobody consumes: %v, %v", m, err)
		}
		go p.Consume(ctx)
		var first ID
		for range 2 {
			m, err := p.SendAndWait(ctx, Message{Channel: "1", Content: "early", Nonce: "1"})
			if err != nil || m.ID == 0 || first != 0 && m.ID != first {
				t.Errorf("%v, %v", m, err)
			}
			first = m.ID
		}
		if m, err := p.SendAndWait(ctx, Message{Channel: "1", Content: "without a nonce"}); err != nil || m.ID <= first {
			t.Errorf("%v, %v", m, err)
		}
		if len(p.waiting.who) > 0 {
			t.Errorf("%d still wait", len(p.waiting.who))
		}
	})
}

// onceQueue drops an item whose ID it was given before.
type onceQueue struct {
	Queue
	seen map[string]bool
}

func (q *onceQueue) Put(ctx context.Context, items ...Item) error {
	for _, item := range items {
		if item.ID != "" && q.seen[item.ID] {
			continue
		}
		q.seen[item.ID] = true
		if err := q.Queue.Put(ctx, item); err != nil {
			return err
		}
	}
	return nil
}

// Who sends again and waits is answered also where the queue drops repeats; who does not wait
// leaves them to the queue.
func TestSendAgainThroughAQueueThatDropsRepeats(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		q := &onceQueue{NewMemoryQueue(), make(map[string]bool)}
		p, err := New(Options{Store: NewMemoryStore(), Queue: q})
		if err != nil {
			t.Fatal(err)
		}
		consuming, stop := context.WithCancel(ctx)
		done := make(chan error)
		go func() { done <- p.Consume(consuming) }()
		var first ID
		for range 3 {
			m, err := p.SendAndWait(ctx, Message{Channel: "1", Content: "again", Nonce: "1"})
			if err != nil || m.ID == 0 || first != 0 && m.ID != first {
				t.Fatalf("%v, %v, first %v", m, err, first)
			}
			first = m.ID
			if _, err := p.Send(ctx, Message{Channel: "1", Content: "left", Nonce: "2"}); err != nil {
				t.Fatal(err)
			}
		}
		if len(q.seen) != 2 { // "" and the one of nonce 2
			t.Errorf("ids in the queue: %v", q.seen)
		}
		stop()
		<-done
		if err := p.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}
