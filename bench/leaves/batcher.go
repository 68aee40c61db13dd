package main

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/samber/ro"
	"google.golang.org/api/support/bundler"

	"github.com/gatehouse-go/gatehouse/batch"
)

// The batchers send at most 100 items at a time, after at most 100 ms, to a function that does nothing but count them,
// and hold at most 10,000 where they have a bound.
//
// Google's bundler is the best known library for this in Go: the clients of Cloud Pub/Sub and Logging batch with it. ro
// is the most starred one with an operator for it: it has no bound, and flushes in the caller's goroutine. "channel" is
// what most services write by hand: a buffered channel, and a goroutine that collects from it.
const (
	batchItems   = 100
	batchDelay   = 100 * time.Millisecond
	batchPending = 10_000
)

type message struct{ id int }

// batcherMaker makes a batcher: add takes an item, end flushes what is left.
type batcherMaker struct {
	name, note string
	make       func(flush func([]*message)) (add func(*message), end func())
}

var batcherMakers = []batcherMaker{
	{"gatehouse", "retries, exact bound, order", func(flush func([]*message)) (func(*message), func()) {
		b := batch.New(func(_ context.Context, items []*message) error { flush(items); return nil },
			batch.Options{MaxItems: batchItems, MaxDelay: batchDelay, MaxPending: batchPending})
		ctx := context.Background()
		return func(m *message) { check(b.Add(ctx, m)) }, func() { check(b.Close(ctx)) }
	}},
	{"google bundler", "bound", func(flush func([]*message)) (func(*message), func()) {
		b := bundler.NewBundler((*message)(nil), func(items any) { flush(items.([]*message)) })
		b.BundleCountThreshold, b.DelayThreshold, b.BufferedByteLimit = batchItems, batchDelay, batchPending
		ctx := context.Background()
		return func(m *message) { check(b.AddWait(ctx, m, 1)) }, b.Flush
	}},
	{"samber/ro", "flushes in the caller", func(flush func([]*message)) (func(*message), func()) {
		s := ro.NewPublishSubject[*message]()
		sub := ro.Pipe1(s.AsObservable(), ro.BufferWithTimeOrCount[*message](batchItems, batchDelay)).Subscribe(ro.OnNext(flush))
		return s.Next, func() { s.Complete(); sub.Unsubscribe() }
	}},
	{"channel", "by hand", func(flush func([]*message)) (func(*message), func()) {
		in, done := make(chan *message, batchPending), make(chan struct{})
		go func() {
			defer close(done)
			collect(in, flush)
		}()
		return func(m *message) { in <- m }, func() { close(in); <-done }
	}},
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// collect flushes what comes until in is closed.
func collect(in <-chan *message, flush func([]*message)) {
	var items []*message
	timer := time.NewTimer(batchDelay)
	timer.Stop()
	send := func() {
		timer.Stop()
		if len(items) > 0 {
			flush(items)
		}
		clear(items)
		items = items[:0]
	}
	for {
		select {
		case m, ok := <-in:
			if !ok {
				send()
				return
			}
			if items = append(items, m); len(items) == 1 {
				timer.Reset(batchDelay)
			}
			if len(items) >= batchItems {
				send()
			}
		case <-timer.C:
			send()
		}
	}
}

func batchers() []contestant {
	return batchersWith(func(b *testing.B, add func(*message), m *message) {
		for b.Loop() {
			add(m)
		}
	})
}

func batchersParallel() []contestant {
	return batchersWith(func(b *testing.B, add func(*message), m *message) {
		b.SetParallelism(2)
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				add(m)
			}
		})
	})
}

// batchersWith times the adding and the flush of what was left at its end.
func batchersWith(adding func(b *testing.B, add func(*message), m *message)) (cs []contestant) {
	for _, m := range batcherMakers {
		cs = append(cs, contestant{m.name, m.note, func(b *testing.B) {
			var flushed atomic.Int64
			add, end := m.make(func(items []*message) { flushed.Add(int64(len(items))) })
			b.ReportAllocs()
			adding(b, add, &message{})
			end()
			if flushed.Load() != int64(b.N) {
				b.Fatalf("%s: %d of %d items were flushed", m.name, flushed.Load(), b.N)
			}
		}})
	}
	return cs
}
