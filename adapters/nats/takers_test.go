package nats_test

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

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Takers that come and go have the partitions evenly, and all of them.
func TestShares(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	var takers []*nats.Queue
	var taking sync.WaitGroup
	join := func() {
		q := open(t, js, "q", nats.QueueOptions{Partitions: 8, Lease: lease})
		takers = append(takers, q)
		taking.Go(func() {
			for {
				if _, err := q.Take(context.Background(), 1); errors.Is(err, message.ErrClosed) {
					return
				}
			}
		})
	}
	shares := func(want string) {
		t.Helper()
		eventually(t, "shares", func() error {
			var held []int
			for _, q := range takers {
				held = append(held, q.Held())
			}
			slices.Sort(held)
			if got := fmt.Sprint(held); got != want {
				return fmt.Errorf("held are %s, want %s", got, want)
			}
			return nil
		})
	}
	join()
	shares("[8]")
	join()
	shares("[4 4]")
	join()
	shares("[2 3 3]")
	takers[0].Close()
	takers = takers[1:]
	shares("[4 4]")
	takers[0].Die()
	takers = takers[1:]
	shares("[8]")
	takers[0].Close()
	taking.Wait()
}

// Who is closed gives back at once what it has, however long its lease is.
func TestClose(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	first := open(t, js, "q", nats.QueueOptions{Lease: time.Hour})
	put(t, first, "k", 0, 3)
	held := take(t, first, 3)
	waits := make(chan error)
	go func() {
		_, err := first.Take(context.Background(), 1)
		waits <- err
	}()
	next := open(t, js, "q", nats.QueueOptions{Lease: time.Hour})
	for range 2 { // the second time it does nothing
		if err := first.Close(); err != nil {
			t.Error(err)
		}
	}
	if text := show(take(t, next, 3)); text != "0:2 1:2 2:2 " {
		t.Errorf("the next one got %s", text)
	}
	_, e1 := first.Take(t.Context(), 1)
	_, e2 := first.Dead(t.Context(), 1)
	for _, err := range []error{<-waits, e1, e2, first.Put(t.Context()), first.Ack(t.Context(), held...), first.Bury(t.Context(), "why")} {
		if !errors.Is(err, message.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
}

// A taker that nobody asks for items gives up what it has none of.
func TestIdleTaker(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	first := open(t, js, "q", nats.QueueOptions{Lease: lease})
	second := open(t, js, "q", nats.QueueOptions{Lease: lease})
	put(t, first, "k", 0, 1)
	kept := take(t, first, 1)
	others := 0
	for i := range 16 {
		key := fmt.Sprint("key ", i)
		put(t, first, key, 0, 1)
		if first.Partition(key) != first.Partition("k") {
			others++
		}
	}
	if err := second.Ack(t.Context(), take(t, second, others)...); err != nil {
		t.Error(err)
	}
	eventually(t, "what the first one has", func() error {
		if first.Held() != 1 {
			return fmt.Errorf("it holds %d partitions", first.Held())
		}
		return nil
	})
	rest(t.Context(), lease) // though the server delivers it again and again
	if err := first.Ack(t.Context(), kept...); err != nil {
		t.Error(err)
	}
	take(t, second, 16-others)
}

// A taker whose items nobody takes lives, and holds no more of them than it has room for.
func TestFullTaker(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	q := open(t, js, "q", nats.QueueOptions{Lease: lease})
	other := open(t, js, "q", nats.QueueOptions{Lease: lease})
	const n = 1500
	put(t, other, "k", 0, n)
	items := take(t, q, 1)
	epoch := items[0].Epoch
	rest(t.Context(), 2*lease)
	for len(items) < n {
		items = append(items, take(t, q, min(100, n-len(items)))...)
	}
	for i, it := range items {
		if string(it.Data) != strconv.Itoa(i) || it.Tries != 1 || it.Epoch != epoch {
			t.Fatalf("item %d is %s, tries %d", i, it.Data, it.Tries)
		}
	}
}

// Much that waits comes, also when it is taken one after another and more waits than there is room for.
func TestBacklog(t *testing.T) {
	t.Parallel()
	const n = 3000
	q := open(t, connect(t, embedded(t)), "q", nats.QueueOptions{})
	put(t, q, "k", 0, n)
	for i := range n {
		it := take(t, q, 1)[0]
		if string(it.Data) != strconv.Itoa(i) || it.Tries != 1 {
			t.Fatalf("item %d is %s, tries %d", i, it.Data, it.Tries)
		}
		if i%2 == 0 { // the others stay with it
			if err := q.Ack(t.Context(), it); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// Takers that come, and go when they have dealt with what they took, under load: nothing is lost, and
// nothing comes twice or out of order.
func TestTakersComeAndGo(t *testing.T) {
	t.Parallel()
	const keys, each = 30, 60
	js := connect(t, embedded(t))
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var mu sync.Mutex
	taken, left, empty := make(map[string][]int), keys*each, make(chan struct{})
	work := func(stop context.Context) {
		q := open(t, js, "q", nats.QueueOptions{Lease: lease})
		for stop.Err() == nil {
			items, err := q.Take(stop, 7)
			if err != nil {
				if stop.Err() == nil {
					t.Errorf("take: %v", err)
				}
				break
			}
			mu.Lock()
			for _, it := range items {
				n, _ := strconv.Atoi(string(it.Data))
				taken[it.Key] = append(taken[it.Key], n)
				if it.Tries != 1 {
					t.Errorf("item %d of %s: tries %d", n, it.Key, it.Tries)
				}
				if left--; left == 0 {
					close(empty)
				}
			}
			mu.Unlock()
			rest(ctx, rand.N(5*time.Millisecond))
			if err := q.Ack(ctx, items...); err != nil {
				t.Errorf("ack: %v", err)
			}
		}
		if err := q.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	}
	all, done := context.WithCancel(ctx)
	defer done()
	var working sync.WaitGroup
	working.Go(func() { work(all) })
	putter := open(t, js, "q", nats.QueueOptions{})
	working.Go(func() {
		for n := range each {
			for k := range keys {
				if err := putter.Put(ctx, message.Item{Key: fmt.Sprint("key ", k), Data: []byte(strconv.Itoa(n))}); err != nil {
					t.Errorf("put: %v", err)
				}
			}
		}
	})
	for range 8 {
		one, stop := context.WithTimeout(all, 300*time.Millisecond+rand.N(700*time.Millisecond))
		working.Go(func() { work(one); stop() })
		rest(all, 300*time.Millisecond)
	}
	select {
	case <-empty:
	case <-ctx.Done():
		t.Errorf("%d items are left", left)
	}
	done()
	working.Wait()
	for k := range keys {
		key := fmt.Sprint("key ", k)
		if !slices.IsSorted(taken[key]) || len(taken[key]) != each {
			t.Errorf("%s: %v", key, taken[key])
		}
	}
}
