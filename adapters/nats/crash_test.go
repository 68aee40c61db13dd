package nats_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var instants = flag.Int("instants", 3, "at how many random instants the server is killed")

// The server is killed under load at random instants and started again, and takers die too: every
// message that was acknowledged is stored once, in the order in which it was sent, and was delivered.
func TestCrash(t *testing.T) {
	t.Parallel()
	const channels = 6
	s := newProcess(t)
	w := &world{t: t, js: connect(t, s.Addr()), store: message.NewMemoryStore(), delivered: make(map[message.ID]bool)}
	sending, stop := context.WithCancel(context.Background())
	defer stop()
	sender, _ := w.pipeline(0)
	var senders sync.WaitGroup
	sent := make([]int, channels)
	for c := range channels {
		senders.Go(func() { sent[c] = w.send(sending, sender, fmt.Sprint(c)) })
	}
	crew := []*consumer{w.consumer(1), w.consumer(2)}
	nap := func(most time.Duration) { rest(sending, rand.N(most)) }
	for i := range *instants {
		nap(1200 * time.Millisecond)
		s.Kill()
		if i%3 == 1 {
			crew[i%2].end(true)
		}
		nap(300 * time.Millisecond)
		s.Start()
		if i%3 == 1 {
			crew[i%2] = w.consumer(3 + i%900)
		}
	}
	rest(sending, 500*time.Millisecond)
	stop()
	senders.Wait()
	if err := sender.Close(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "all messages stored", func() error {
		for c, n := range sent {
			page, err := w.store.Page(context.Background(), fmt.Sprint(c), message.Query{Limit: 1})
			if err != nil || n > 0 && (len(page) == 0 || page[0].Content != fmt.Sprint(n-1)) {
				return fmt.Errorf("channel %d has %v of %d messages, %v", c, page, n, err)
			}
		}
		return nil
	})
	for _, c := range crew {
		c.end(false)
	}
	total := 0
	for c, n := range sent {
		w.judge(fmt.Sprint(c), n)
		total += n
	}
	t.Logf("%d messages through %d kills; %d came again and were known by their nonces", total, *instants, w.repeated())
	if total < *instants*channels {
		t.Errorf("only %d messages were sent", total)
	}
}

// world is what there is besides the server.
type world struct {
	t     *testing.T
	js    jetstream.JetStream
	store *message.MemoryStore
	pipes []*message.Pipeline // of the goroutine of the test

	mu        sync.Mutex
	delivered map[message.ID]bool
}

func (w *world) pipeline(node int) (*message.Pipeline, *nats.Queue) {
	var q *nats.Queue
	eventually(w.t, "open", func() (err error) {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		q, err = nats.NewQueue(ctx, w.js, "crash", nats.QueueOptions{Lease: lease})
		return err
	})
	p, err := message.New(message.Options{
		Store: w.store, Queue: q, IDs: message.NewIDs(node),
		Deliver: func(_ context.Context, channel string, batch []message.Message) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range batch {
				w.delivered[m.ID] = true
			}
			return nil
		},
		OnError: func(s message.Stage, _ []message.Message, err error) {
			if s != message.StageQueue {
				w.t.Errorf("%v: %v", s, err)
			}
		},
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { q.Close() })
	w.pipes = append(w.pipes, p)
	return p, q
}

// repeated is how many messages the pipelines found that they had stored before.
func (w *world) repeated() (n uint64) {
	for _, p := range w.pipes {
		n += p.Stats().Repeated
	}
	return n
}

// send sends messages 0, 1, … of a channel, each until it is acknowledged, and returns how many.
func (w *world) send(ctx context.Context, p *message.Pipeline, channel string) (n int) {
	for ; ctx.Err() == nil; n++ {
		for {
			short, cancel := context.WithTimeout(context.Background(), time.Second)
			_, err := p.Send(short, message.Message{Channel: channel, Author: "ann", Nonce: fmt.Sprint(n), Content: fmt.Sprint(n)})
			cancel()
			if err == nil {
				break
			}
			rest(context.Background(), 10*time.Millisecond)
		}
		rest(ctx, 2*time.Millisecond)
	}
	return n
}

type consumer struct {
	q      *nats.Queue
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (w *world) consumer(node int) *consumer {
	p, q := w.pipeline(node)
	ctx, cancel := context.WithCancel(context.Background())
	c := &consumer{q: q, cancel: cancel}
	c.ended.Go(func() {
		if err := p.Consume(ctx); !errors.Is(err, context.Canceled) {
			w.t.Errorf("Consume returned %v", err)
		}
	})
	return c
}

func (c *consumer) end(dead bool) {
	if dead {
		c.q.Die() // what it has taken, it stores, and cannot acknowledge
	}
	c.cancel()
	c.ended.Wait()
	c.q.Close()
}

// judge looks at what became of n messages of a channel.
func (w *world) judge(channel string, n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	next, after := 0, message.ID(1)
	for {
		page, err := w.store.Page(context.Background(), channel, message.Query{After: after, Limit: message.MaxPage})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			if m.Content != fmt.Sprint(next) {
				w.t.Fatalf("channel %s: message %s where %d should be", channel, m.Content, next)
			}
			if !w.delivered[m.ID] {
				w.t.Errorf("channel %s: message %d was not delivered", channel, next)
			}
			next++
		}
		after = page[len(page)-1].ID
	}
	if next != n {
		w.t.Errorf("channel %s: %d messages were acknowledged, %d are stored", channel, n, next)
	}
}
