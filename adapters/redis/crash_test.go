package redis_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var instants = flag.Int("instants", 0, "at how many instants a crash test kills; 0: few")

func kills(few int) int {
	if *instants > 0 {
		return *instants
	}
	return few
}

func TestCrash(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t, "--appendfsync", "always")
	crash(t, kills(5), connect(t, s.Addr()), s)
}

func TestCrashOnCluster(t *testing.T) {
	t.Parallel()
	c := servers.RedisCluster(t, 3, 0)
	crash(t, kills(2), connect(t, c.Addrs()...), c.Nodes...)
}

// crash has messages sent to a queue and consumed from it, while servers are killed and started
// again at random instants, and takers too. In the end every message that was acknowledged is
// stored once, in the order in which it was sent, and was delivered.
func crash(t *testing.T, instants int, client goredis.UniversalClient, nodes ...*servers.Server) {
	const channels = 6
	began := time.Now()
	w := &world{t: t, client: client, store: message.NewMemoryStore(), one: make(chan struct{}), delivered: make(map[message.ID]int)}
	senders, stop := context.WithCancel(t.Context())
	defer stop()
	var all sync.WaitGroup
	sent := make([]int, channels)
	p, _ := w.pipeline(0)
	for c := range channels {
		all.Go(func() { sent[c] = w.send(senders, p, fmt.Sprint(c)) })
	}
	crew := []*consumer{w.consumer(1), w.consumer(2)}
	random := rand.New(rand.NewPCG(1, uint64(instants)))
	nap := func(most time.Duration) { wait(t.Context(), time.Duration(random.Int64N(int64(most)))) }
	for i := range instants {
		nap(600 * time.Millisecond)
		node := nodes[random.IntN(len(nodes))]
		w.awaitOne()
		node.Kill()
		if i%3 == 1 {
			crew[i%2].end(true)
		}
		nap(300 * time.Millisecond)
		node.Start()
		if i%3 == 1 {
			crew[i%2] = w.consumer(3 + i)
		}
	}
	wait(t.Context(), 500*time.Millisecond)
	stop()
	all.Wait()
	if err := p.Close(t.Context()); err != nil {
		t.Error(err)
	}
	eventually(t, "all messages stored", func() error {
		for c, n := range sent {
			page, err := w.store.Page(t.Context(), fmt.Sprint(c), message.Query{Limit: 1})
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
	t.Logf("%d kills in %v, %d acknowledged: %d lost, %d stored twice, %d out of order, %d not delivered, %d delivered again",
		instants, time.Since(began).Round(time.Second), total, w.lost, w.twice, w.disorder, w.undelivered, w.again)
	if total < instants*channels {
		t.Errorf("only %d messages were sent", total)
	}
}

type world struct {
	t      *testing.T
	client goredis.UniversalClient
	store  *message.MemoryStore
	one    chan struct{} // gets something, if somebody waits, the moment that a message is acknowledged

	mu        sync.Mutex
	delivered map[message.ID]int

	// What judge found.
	lost, twice, disorder, undelivered, again int
}

// awaitOne waits for an acknowledgement, so that what is killed then has just promised something: a
// server that answers a little before it keeps is not given the time.
func (w *world) awaitOne() {
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	select {
	case <-w.one:
	case <-ctx.Done():
		w.t.Fatal("nothing is acknowledged")
	}
}

func (w *world) pipeline(node int) (*message.Pipeline, *redis.Queue) {
	var q *redis.Queue
	eventually(w.t, "open", func() (err error) {
		ctx, cancel := context.WithTimeout(w.t.Context(), 5*time.Second)
		defer cancel()
		q, err = redis.NewQueue(ctx, w.client, "crash", redis.QueueOptions{Lease: lease})
		return err
	})
	p, err := message.New(message.Options{
		Store: w.store, Queue: q, IDs: message.NewIDs(node),
		Deliver: func(_ context.Context, channel string, batch []message.Message) error {
			w.mu.Lock()
			defer w.mu.Unlock()
			for _, m := range batch {
				w.delivered[m.ID]++
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
	return p, q
}

// send sends messages 0, 1, … of a channel, each until it is acknowledged, and returns how many.
func (w *world) send(ctx context.Context, p *message.Pipeline, channel string) (n int) {
	for ; ctx.Err() == nil; n++ {
		for {
			short, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			_, err := p.Send(short, message.Message{Channel: channel, Author: "ann", Nonce: fmt.Sprint(n), Content: fmt.Sprint(n)})
			cancel()
			if err == nil {
				note(w.one)
				break
			}
			wait(context.Background(), 10*time.Millisecond)
		}
		wait(ctx, 2*time.Millisecond)
	}
	return n
}

type consumer struct {
	q      *redis.Queue
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
	stored, newest := make(map[int]bool), -1
	for after := message.ID(1); ; {
		page, err := w.store.Page(w.t.Context(), channel, message.Query{After: after, Limit: message.MaxPage})
		if err != nil {
			w.t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		for _, m := range page {
			number, err := strconv.Atoi(m.Content)
			switch {
			case err != nil || number >= n:
				w.t.Errorf("channel %s: nobody sent %q", channel, m.Content)
			case stored[number]:
				w.twice++
			case number < newest:
				w.disorder++
			}
			stored[number], newest = true, max(newest, number)
			switch w.delivered[m.ID] {
			case 0:
				w.undelivered++
			default:
				w.again += w.delivered[m.ID] - 1 // which is no mistake: at least once
			}
		}
		after = page[len(page)-1].ID
	}
	w.lost += n - len(stored)
	if w.lost+w.twice+w.disorder+w.undelivered > 0 {
		w.t.Errorf("channel %s and those before it, of %d: %d lost, %d stored twice, %d out of order, %d not delivered", channel, n, w.lost, w.twice, w.disorder, w.undelivered)
	}
}

func wait(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
