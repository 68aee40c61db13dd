package gatewaytest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// watch is a feed that keeps what it is given.
type watch struct {
	gateway.Feed
	mu      sync.Mutex
	got     []gateway.Record
	more    chan struct{} // closed and replaced when something has come
	running sync.Map      // topic → *atomic.Bool: deliver runs for it
	twice   atomic.Bool   // two deliveries of one topic ran at once
	slow    bool
}

func openWatch(ctx context.Context, b gateway.Broker, slow bool, topics ...string) (*watch, error) {
	w := &watch{more: make(chan struct{}), slow: slow}
	var err error
	if w.Feed, err = b.Open(ctx, w.deliver); err != nil {
		return nil, fmt.Errorf("from Open: %w", err)
	}
	for _, topic := range topics {
		if _, err := w.Follow(ctx, topic); err != nil {
			return nil, fmt.Errorf("from Follow: %w", err)
		}
	}
	return w, nil
}

func (w *watch) deliver(rec gateway.Record) {
	running, _ := w.running.LoadOrStore(rec.Topic, new(atomic.Bool))
	if !running.(*atomic.Bool).CompareAndSwap(false, true) {
		w.twice.Store(true)
	}
	if w.slow {
		<-time.After(time.Millisecond)
	}
	w.mu.Lock()
	w.got = append(w.got, rec)
	close(w.more)
	w.more = make(chan struct{})
	w.mu.Unlock()
	running.(*atomic.Bool).Store(false)
}

func (w *watch) records() []gateway.Record {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.got)
}

// await waits until n records have come, or for ten seconds.
func (w *watch) await(n int) []gateway.Record {
	return w.awaitThat(func(got []gateway.Record) bool { return len(got) >= n })
}

// awaitOf is await for the records of one topic.
func (w *watch) awaitOf(topic string, n int) {
	w.awaitThat(func(got []gateway.Record) bool { return len(ofTopic(topic, got)) >= n })
}

func (w *watch) awaitThat(enough func([]gateway.Record) bool) []gateway.Record {
	timeout := time.After(10 * time.Second)
	for {
		w.mu.Lock()
		got, more := slices.Clone(w.got), w.more
		w.mu.Unlock()
		if enough(got) {
			return got
		}
		select {
		case <-more:
		case <-timeout:
			return got
		}
	}
}

// settle gives what should not come a moment to come.
func settle() { <-time.After(20 * time.Millisecond) }

func event(topic string, n int) gateway.Record {
	return gateway.Record{Topic: topic, Type: "T", Data: fmt.Appendf(nil, `{"n":%d}`, n)}
}

func publish(ctx context.Context, b gateway.Broker, topic string, from, to int) error {
	for n := from; n < to; n++ {
		if err := b.Publish(ctx, event(topic, n)); err != nil {
			return fmt.Errorf("from Publish: %w", err)
		}
	}
	return nil
}

// list is the data of records, in order.
func list(recs []gateway.Record) string {
	var text bytes.Buffer
	for _, rec := range recs {
		fmt.Fprintf(&text, "%s %s, ", rec.Topic, rec.Data)
	}
	return text.String()
}

func events(topic string, from, to int) string {
	var recs []gateway.Record
	for n := from; n < to; n++ {
		recs = append(recs, event(topic, n))
	}
	return list(recs)
}

// ofTopic leaves out what shares a partition with it.
func ofTopic(topic string, recs []gateway.Record) []gateway.Record {
	return slices.DeleteFunc(slices.Clone(recs), func(r gateway.Record) bool { return r.Topic != topic })
}
