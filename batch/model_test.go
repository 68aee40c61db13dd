package batch_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

type entry struct{ key, n int }

// ledger is the model: what was added per key, in order, and how each item ended.
type ledger struct {
	t       *testing.T
	o       batch.Options
	start   time.Time
	added   map[int]int         // items added per key; their numbers are 0, 1, …
	at      map[entry]time.Time // when
	ended   map[entry]string    // how
	next    map[int]int         // the next number that may be flushed
	busy    map[int]bool        // keys with a running flush
	trying  map[int][]entry     // batch of a key that failed its last try
	running int
}

func (l *ledger) check(ok bool, format string, args ...any) {
	if !ok {
		l.t.Errorf("%v: "+format, append([]any{time.Since(l.start)}, args...)...)
	}
}

// TestEveryItemEndsOnce draws options, arrivals, failures, panics, deaf flushes and the moment and patience of Close,
// and checks that each accepted item ends exactly once, in order, within all limits. It runs in a bubble, where
// goroutines that are ready at the same instant still interleave at will.
func TestEveryItemEndsOnce(t *testing.T) {
	seeds := uint64(400)
	if testing.Short() {
		seeds = 50
	}
	for seed := range seeds {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { oneSeed(t, seed) })
		})
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func oneSeed(t *testing.T, seed uint64) {
	r := rand.New(rand.NewPCG(seed, 1))
	l := &ledger{
		t: t, start: time.Now(),
		added: map[int]int{}, at: map[entry]time.Time{}, ended: map[entry]string{},
		next: map[int]int{}, busy: map[int]bool{}, trying: map[int][]entry{},
		o: batch.Options{
			MaxItems:    pick(r, 1, 2, 5, -1),
			MaxBytes:    pick(r, 0, 7, 20),
			MaxDelay:    pick(r, 10*ms, 100*ms, -1),
			Leading:     r.IntN(2) == 0,
			MaxPending:  pick(r, 1, 3, 20, -1),
			Concurrency: pick(r, 1, 2, 3),
			Retries:     pick(r, -1, 1, 3),
			Backoff:     pick(r, -1, 5*ms, 50*ms),
			Timeout:     pick(r, 30*ms, -1),
		},
	}
	mu := make(chan struct{}, 1) // guards l and r; a channel, so that waiting for it is durable in the bubble
	lock := func() func() { mu <- struct{}{}; return func() { <-mu } }
	failing := pick(r, 0, 30, 80) // per cent of tries
	keys := 1 + r.IntN(5)
	open := time.Duration(r.IntN(5000)) * ms
	patience := pick(r, 0, 5*ms, 100*ms, time.Hour)

	flush := func(ctx context.Context, key int, items []entry) error {
		unlock := lock()
		l.begin(key, items)
		took, fate, deaf := time.Duration(r.IntN(40))*ms, r.IntN(100), r.IntN(20) == 0
		unlock()
		var err error
		if deaf {
			time.Sleep(took)
		} else {
			select {
			case <-ctx.Done():
				err = ctx.Err()
			case <-time.After(took):
			}
		}
		defer lock()()
		if err == nil && fate < failing {
			err = errors.New("drawn")
		}
		l.end(key, items, err)
		clear(items)
		if err != nil && fate%3 == 0 {
			panic(err)
		}
		return err
	}
	k := batch.NewKeyed(flush, l.o, batch.KeyedHooks[int, entry]{
		Size: func(e entry) int { return e.n % 9 },
		OnError: func(key int, items []entry, err error) {
			defer lock()()
			l.giveUp(key, items, err)
		},
	})

	done := make(chan struct{})
	for key := range keys { // one producer per key, so that its order is known
		pr := rand.New(rand.NewPCG(seed, uint64(100+key)))
		go func() {
			defer func() { done <- struct{}{} }()
			for n := 0; n < 60; {
				time.Sleep(pick(pr, 0, 0, 0, 1*ms, 30*ms, 300*ms))
				e := entry{key, n}
				unlock := lock()
				l.at[e] = time.Now() // it may be flushed before Add has returned
				unlock()
				var err error
				if pr.IntN(2) == 0 {
					err = k.TryAdd(key, e)
				} else {
					ctx, cancel := context.WithTimeout(t.Context(), pick(pr, ms, time.Second))
					err = k.Add(ctx, key, e)
					cancel()
				}
				switch err {
				case nil:
					n++
					unlock := lock()
					l.added[key] = n
					unlock()
				case batch.ErrClosed:
					return
				}
			}
		}()
	}
	time.Sleep(open)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	before := time.Now()
	first := k.Close(ctx)
	took := time.Since(before)
	l.check(took <= patience, "Close returned after %v, its ctx had %v", took, patience)
	l.check(first == nil || errors.Is(first, context.DeadlineExceeded), "Close: %v", first)
	for range keys {
		<-done
	}
	_ = k.Close(t.Context()) // for deaf flushes
	l.audit(k.Stats())
}

func (l *ledger) begin(key int, items []entry) {
	l.check(!l.busy[key], "key %d is flushed twice at a time", key)
	l.busy[key] = true
	l.running++
	l.check(l.running <= l.o.Concurrency, "%d flushes at a time", l.running)
	l.check(len(items) > 0, "an empty flush")
	l.check(l.o.MaxItems < 0 || len(items) <= l.o.MaxItems, "%d items in a flush", len(items))
	bytes := 0
	for i, e := range items {
		bytes += e.n % 9
		l.check(e == entry{key, l.next[key] + i}, "flush of key %d has %v at %d, want number %d", key, e, i, l.next[key]+i)
	}
	l.check(l.o.MaxBytes == 0 || bytes <= l.o.MaxBytes || len(items) == 1, "%d bytes in a flush", bytes)
	if again := l.trying[key]; again != nil {
		l.check(len(again) == len(items), "a retry has %d items, the try had %d", len(items), len(again))
	}
}

func (l *ledger) end(key int, items []entry, err error) {
	l.busy[key] = false
	l.running--
	l.trying[key] = nil
	if err != nil {
		l.trying[key] = append([]entry(nil), items...)
		return
	}
	l.ending(key, items, "processed")
	l.next[key] += len(items)
}

func (l *ledger) ending(key int, items []entry, how string) {
	for _, e := range items {
		l.check(e.key == key, "%v under key %d", e, key)
		l.check(l.ended[e] == "", "%v was %s, and now %s", e, l.ended[e], how)
		l.ended[e] = how
	}
}

func (l *ledger) giveUp(key int, items []entry, err error) {
	l.ending(key, items, "given up")
	if again := l.trying[key]; again != nil && items[0] == again[0] {
		l.check(len(items) == len(again), "of a batch of %d, %d were given up", len(again), len(items))
		l.trying[key] = nil
		l.next[key] += len(items)
		return
	}
	l.check(errors.Is(err, batch.ErrClosed), "given up without a try: %v", err)
	if !l.busy[key] {
		l.next[key] += len(items)
	}
}

func (l *ledger) audit(s batch.Stats) {
	added, processed, failed := 0, 0, 0
	for key, n := range l.added {
		added += n
		for i := range n {
			switch l.ended[entry{key, i}] {
			case "processed":
				processed++
			case "given up":
				failed++
			default:
				l.check(false, "item %d of key %d was lost", i, key)
			}
		}
	}
	l.check(len(l.ended) == added, "%d items ended, %d were added", len(l.ended), added)
	l.check(s.Processed == uint64(processed) && s.Failed == uint64(failed), "Stats %+v, want %d processed, %d failed", s, processed, failed)
	l.check(s.Queued == 0 && s.Waiting == 0 && s.Keys == 0, "Stats after Close: %+v", s)
	sizes := uint64(0)
	for _, n := range s.Sizes {
		sizes += n
	}
	l.check(sizes == s.Flushes, "Sizes count %d flushes of %d", sizes, s.Flushes)
}
