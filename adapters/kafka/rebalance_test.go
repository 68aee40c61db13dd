package kafka_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// tally is what was taken of each key, in order.
type tally struct {
	mu    sync.Mutex
	taken map[string][]int
	left  int
	empty chan struct{}
}

func (c *tally) take(t *testing.T, items []message.Item) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, it := range items {
		n, err := strconv.Atoi(string(it.Data))
		if err != nil || it.Tries != 1 {
			t.Errorf("item %q of %q, tries %d", it.Data, it.Key, it.Tries)
		}
		c.taken[it.Key] = append(c.taken[it.Key], n)
		if c.left--; c.left == 0 {
			close(c.empty)
		}
	}
}

// more reports whether something is left.
func (c *tally) more(ctx context.Context) bool {
	select {
	case <-c.empty:
		return false
	default:
		return ctx.Err() == nil
	}
}

// Takers that come, and go when they have dealt with what they took: nothing is lost, and nothing
// comes twice or out of order.
func TestRebalance(t *testing.T) {
	const keys, each = 30, 60
	o := options(fake(t))
	putter := open(t, o)
	c := &tally{taken: make(map[string][]int), left: keys * each, empty: make(chan struct{})}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var working sync.WaitGroup
	work := func(stop context.Context) {
		q := open(t, o)
		for stop.Err() == nil {
			items, err := q.Take(stop, 7)
			if err != nil {
				if stop.Err() == nil {
					t.Errorf("take: %v", err)
				}
				break
			}
			c.take(t, items)
			rest(ctx, time.Duration(rand.IntN(5))*time.Millisecond)
			if err := q.Ack(ctx, items...); err != nil {
				t.Errorf("ack: %v", err)
			}
		}
		if err := q.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	all, done := context.WithCancel(ctx)
	working.Go(func() { work(all) })
	working.Go(func() {
		for n := range each {
			for k := range keys {
				put(t, putter, fmt.Sprint("key ", k), n, n+1)
			}
		}
	})
	for n := 0; n < 8 && c.more(ctx); n++ {
		one, stop := context.WithTimeout(all, time.Duration(500+rand.IntN(1000))*time.Millisecond)
		working.Go(func() { work(one); stop() })
		rest(all, 500*time.Millisecond)
	}
	select {
	case <-c.empty:
	case <-ctx.Done():
	}
	done()
	working.Wait()
	for k := range keys {
		key := fmt.Sprint("key ", k)
		if !slices.IsSorted(c.taken[key]) || len(c.taken[key]) != each {
			t.Errorf("%s: %v", key, c.taken[key])
		}
	}
	if c.left != 0 {
		t.Errorf("%d items are left", c.left)
	}
}

// Who keeps what it took for longer than Options.Handover, while others want to be given theirs, has
// lost it.
func TestHandover(t *testing.T) {
	o := options(fake(t))
	o.Partitions, o.Handover = 1, 300*time.Millisecond
	slow := open(t, o)
	put(t, slow, "k", 0, 2)
	kept := take(t, slow, 2)
	if err := slow.Ack(soon(t), kept[1]); err != nil {
		t.Fatal(err)
	}
	next := open(t, o)
	got := make(chan []message.Item)
	go func() { // one of the two has the partition afterwards
		items, err := next.Take(soon(t), 1)
		if err != nil {
			t.Error(err)
		}
		got <- items
	}()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	var again []message.Item
	back := make(chan []message.Item, 1)
	var waiting sync.WaitGroup
	waiting.Go(func() {
		if items, err := slow.Take(ctx, 1); err == nil {
			back <- items
		}
	})
	taker, other := next, slow
	select {
	case again = <-got:
	case again = <-back:
		taker, other = slow, next
	}
	if text := show(again); text != "0:2 " || again[0].Epoch != kept[0].Epoch && taker == slow {
		t.Errorf("taken again: %s, epoch %d after %d", text, again[0].Epoch, kept[0].Epoch)
	}
	if err := slow.Ack(soon(t), kept[0]); err == nil {
		t.Error("a late acknowledgement was none")
	}
	cancel()
	waiting.Wait()
	taker.Die()
	if taker == next {
		if text := show(take(t, other, 1)); text != "0:3 " {
			t.Errorf("after a late acknowledgement: %s", text)
		}
		return
	}
	if text := show(<-got); text != "0:3 " {
		t.Errorf("after a late acknowledgement: %s", text)
	}
}

// A partition with too much that is not dealt with waits; the others do not.
func TestBlockedPartition(t *testing.T) {
	o := options(fake(t))
	q := open(t, o)
	put(t, q, "slow", 0, 3000)
	held := take(t, q, 700)
	var others []string
	for k := range 20 {
		others = append(others, fmt.Sprint("key ", k))
		put(t, q, others[k], 0, 1)
	}
	seen := make(map[string]bool)
	for ctx := soon(t); len(seen) < 8; { // of 20 keys most are in other partitions
		items, err := q.Take(ctx, 100)
		if err != nil {
			t.Fatal(err)
		}
		for _, it := range items {
			if it.Key == "slow" {
				t.Fatalf("item %s of a partition that is blocked", it.Data)
			}
			seen[it.Key] = true
		}
	}
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	for {
		if _, err := q.Take(short, 100); err != nil {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
			break
		}
	}
	for n := 700; len(held) > 0; { // in order from here on, however much was fetched
		if err := q.Ack(soon(t), held...); err != nil {
			t.Fatal(err)
		}
		held = held[:0]
		for n < 3000 && len(held) == 0 {
			items, err := q.Take(soon(t), 500)
			if err != nil {
				t.Fatal(err)
			}
			held = items
			for _, it := range items {
				if it.Key == "slow" {
					if string(it.Data) != strconv.Itoa(n) {
						t.Fatalf("item %s, want %d", it.Data, n)
					}
					n++
				}
			}
		}
	}
}

// Who only puts has no share of the keys.
func TestPutterHasNoShare(t *testing.T) {
	o := options(fake(t))
	taker := open(t, o)
	for range 3 {
		put(t, open(t, o), "k", 0, 1)
	}
	take(t, taker, 3)
}
