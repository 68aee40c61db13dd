package message

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

// lifeQueue is a taker of a process: when that is dead, it does nothing.
type lifeQueue struct {
	*MemoryQueue
	l *life
}

func (q *lifeQueue) alive() error {
	if q.l.isDead() {
		return errDead
	}
	return nil
}

func (q *lifeQueue) Put(ctx context.Context, items ...Item) error {
	return errors.Join(q.MemoryQueue.Put(ctx, items...), q.alive())
}

func (q *lifeQueue) Take(ctx context.Context, max int) ([]Item, error) {
	if q.l.w.chance(q.l.w.storm) {
		return nil, errStorm
	}
	items, err := q.MemoryQueue.Take(ctx, max)
	return items, errors.Join(err, q.alive())
}

func (q *lifeQueue) Ack(ctx context.Context, items ...Item) error {
	if q.l.w.chance(q.l.w.mortal) {
		q.l.kill()
	}
	if err := q.alive(); err != nil {
		return err
	}
	return q.MemoryQueue.Ack(ctx, items...)
}

func (q *lifeQueue) Bury(ctx context.Context, why string, items ...Item) error {
	if err := q.alive(); err != nil {
		return err
	}
	return q.MemoryQueue.Bury(ctx, why, items...)
}

// consumer is a process that consumes a queue, besides others.
type consumer struct {
	*life
	queue  *lifeQueue
	cancel context.CancelFunc
	ended  sync.WaitGroup
}

func (w *world) consumer(of *MemoryQueue) *consumer {
	c := new(consumer)
	c.queue = &lifeQueue{MemoryQueue: of.Another()}
	c.life = w.born(Options{Queue: c.queue, Batch: batch.Options{MaxItems: 1 + w.upTo(5), Concurrency: 1 + w.upTo(4), Timeout: 50 * time.Millisecond}})
	c.queue.l = c.life
	ctx, cancel := context.WithCancel(context.Background())
	c.cancel = cancel
	c.ended.Go(func() {
		if err := c.p.Consume(ctx); !errors.Is(err, context.Canceled) {
			w.t.Errorf("Consume returned %v", err)
		}
	})
	return c
}

// end kills a process, and has its queue know.
func (c *consumer) end() {
	c.kill()
	c.cancel()
	c.ended.Wait()
	c.queue.Close()
	c.p.Close(context.Background())
}

// TestQueueStorm has messages of a queue consumed by several processes at a time, which die in the
// middle of it, with a store that fails in every way. In the end each is stored once, in the order
// in which it was put, or buried.
func TestQueueStorm(t *testing.T) {
	for seed := range *seeds {
		ok := t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, uint64(seed), float64(seed%4)*0.1, float64(seed%3)*0.02)
				w.partly = "before" // what is stored of a batch whose process dies has its ids, the rest gets later ones
				w.queueWeather(NewMemoryQueue())
			})
		})
		if !ok {
			return
		}
	}
}

func (w *world) queueWeather(q *MemoryQueue) {
	const channels, messages = 4, 40
	var putters sync.WaitGroup
	for channel := range channels {
		putters.Go(func() { w.putter(q, fmt.Sprint(channel), messages) })
	}
	done := make(chan struct{})
	go func() { putters.Wait(); w.nap(time.Second); close(done) }()
	crew := []*consumer{w.consumer(q), w.consumer(q)}
	for over := false; !over; {
		select {
		case <-done:
			over = true
		case <-time.After(time.Duration(w.upTo(int(100 * time.Millisecond)))):
		}
		for i, c := range crew {
			if over || c.isDead() || w.chance(w.mortal) {
				c.end()
				crew[i] = w.consumer(q)
			}
		}
	}
	for _, c := range crew {
		c.end()
	}
	w.storm, w.mortal = 0, 0
	last := w.consumer(q)
	time.Sleep(time.Minute)
	last.end()
	w.judge()
	w.judgeQueue(q, channels, messages)
}

// putter puts the messages of a channel, some of them again, and sometimes what is none.
func (w *world) putter(q *MemoryQueue, channel string, messages int) {
	p, err := New(Options{Store: w.store, Queue: q, IDs: newIDs(9, time.Now)})
	if err != nil {
		w.t.Fatal(err)
	}
	for n := range messages {
		m := Message{Channel: channel, Author: "ann", Nonce: fmt.Sprint(n), Content: fmt.Sprint(n)}
		w.mu.Lock()
		w.content[senderOf(m)] = m.Content
		w.mu.Unlock()
		if n > 0 && w.chance(0.1) {
			m.Nonce, m.Content = fmt.Sprint(n-1), fmt.Sprint(n-1)
			p.Send(context.Background(), m)
			m.Nonce, m.Content = fmt.Sprint(n), fmt.Sprint(n)
		}
		if _, err := p.Send(context.Background(), m); err != nil {
			w.t.Error(err)
		}
		if w.chance(0.05) {
			q.Put(context.Background(), Item{Key: channel, Data: []byte("no message")})
			w.note("junk")
		}
		w.nap(10 * time.Millisecond)
	}
}

// judgeQueue looks at what has become of what was put.
func (w *world) judgeQueue(q *MemoryQueue, channels, messages int) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	buried, junk := make(map[sender]bool), 0
	dead, err := q.Dead(ctx, 10_000)
	for _, it := range dead {
		if m, err := unqueue(it); err == nil {
			buried[senderOf(m)] = true
		} else if junk++; string(it.Data) != "no message" || it.Why == "" {
			w.t.Errorf("%+v was buried", it)
		}
	}
	if junk != w.counts["junk"] {
		w.t.Errorf("%d of what is no message were buried, of %d", junk, w.counts["junk"])
	}
	if left, e := q.Take(ctx, 100); len(left) > 0 || err != nil {
		w.t.Errorf("left are %+v: %v, %v", left, err, e)
	}
	for channel := range channels {
		name := fmt.Sprint(channel)
		page, err := w.store.Page(context.Background(), name, Query{Limit: MaxPage})
		if err != nil {
			w.t.Fatal(err)
		}
		last, there := -1, make(map[string]bool)
		for _, m := range page {
			there[m.Nonce] = true
			n, _ := strconv.Atoi(m.Content)
			if w.unlucky[senderOf(m)] { // it was buried and sent again, or taken again before it was buried
				continue
			}
			if n <= last {
				w.t.Errorf("channel %s: %d is stored behind %d", name, n, last)
			}
			last = n
			if !w.delivered[m.ID] {
				w.t.Errorf("channel %s: %+v was never delivered", name, m)
			}
		}
		for n := range messages {
			if s := (sender{name, "ann", fmt.Sprint(n)}); !there[s.nonce] && !buried[s] {
				w.t.Errorf("%+v is neither stored nor buried", s)
			}
		}
	}
}
