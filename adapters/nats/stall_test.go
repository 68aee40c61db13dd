package nats_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// stalled returns a taker that has taken items 0 to 2 of key "k", and what is between it and its server.
func stalled(t *testing.T, addr string) (*nats.Queue, []message.Item, *proxy) {
	between := newProxy(t, addr)
	q := open(t, connect(t, between.Addr()), "q", nats.QueueOptions{Lease: lease})
	put(t, q, "k", 0, 3)
	return q, take(t, q, 3), between
}

// A taker that was taken for dead and comes back changes nothing, and is given nothing.
func TestTakenForDead(t *testing.T) {
	t.Parallel()
	addr := embedded(t)
	first, had, between := stalled(t, addr)
	put(t, first, "k", 3, 5)
	ahead := take(t, first, 1) // and the other one is here, not taken
	between.Hold(true)
	second := open(t, connect(t, addr), "q", nats.QueueOptions{Lease: lease})
	has := take(t, second, 5)
	if text := show(has); text != "0:2 1:2 2:2 3:2 4:1 " || has[0].Epoch == had[0].Epoch {
		t.Errorf("the second taker got %s, epoch %d after %d", text, has[0].Epoch, had[0].Epoch)
	}
	late := make(chan error)
	go func() { late <- first.Ack(t.Context(), had[:2]...) }() // it does not know yet
	go func() { late <- first.Bury(t.Context(), "late", had[2]) }()
	rest(t.Context(), 100*time.Millisecond)
	between.Hold(false)
	for range 2 {
		if err := <-late; err == nil {
			t.Error("what came late was not")
		}
	}
	if err := first.Bury(t.Context(), "late", ahead[0]); err == nil { // now it does
		t.Error("a late burial was none")
	}
	if err := first.Remember(t.Context(), had[0]); err == nil {
		t.Error("it could write down what it takes")
	}
	dead, err := first.Dead(t.Context(), 10)
	if err != nil || len(dead) > 0 {
		t.Errorf("buried were %v, %v", dead, err)
	}
	short, cancel := context.WithTimeout(t.Context(), lease/2)
	defer cancel()
	if items, err := first.Take(short, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("it was given %s: %v", show(items), err)
	}
	if err := second.Ack(t.Context(), has[0], has[4]); err != nil {
		t.Error(err)
	}
	second.Die()
	again := take(t, first, 3) // now it is the next one
	if text := show(again); text != "1:3 2:3 3:3 " || again[0].Epoch == has[0].Epoch || again[0].Epoch == had[0].Epoch {
		t.Errorf("it got %s, epoch %d after %d and %d", text, again[0].Epoch, had[0].Epoch, has[0].Epoch)
	}
}

// Late words are without effect also from a taker that cannot know that it is late: not when it takes
// what it was given before.
func TestTakesLate(t *testing.T) {
	t.Parallel()
	addr := embedded(t)
	first, _, between := stalled(t, addr)
	put(t, first, "k", 3, 5)
	take(t, first, 1) // item 4 is here
	between.Hold(true)
	second := open(t, connect(t, addr), "q", nats.QueueOptions{Lease: lease})
	has := take(t, second, 5)
	got := make(chan error, 1)
	go func() { // at the same moment in which it is back
		items, err := first.Take(t.Context(), 1)
		if err == nil {
			err = errors.New("it was given " + show(items))
		}
		got <- err
	}()
	rest(t.Context(), 50*time.Millisecond)
	between.Hold(false)
	rest(t.Context(), lease/2)
	first.Close()
	if err := <-got; !errors.Is(err, message.ErrClosed) {
		t.Error(err)
	}
	if err := second.Ack(t.Context(), has...); err != nil {
		t.Error(err)
	}
}

// A Take that failed does not count, also when the server has heard of it.
func TestTakeThatFailed(t *testing.T) {
	t.Parallel()
	addr := embedded(t)
	q, had, between := stalled(t, addr)
	put(t, q, "k", 3, 5)
	if err := q.Ack(t.Context(), append(had, take(t, q, 1)...)...); err != nil {
		t.Fatal(err)
	}
	rest(t.Context(), 100*time.Millisecond) // the last one is here
	between.Hold(true)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := q.Take(short, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	between.Hold(false)
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	next := open(t, connect(t, addr), "q", nats.QueueOptions{Lease: lease})
	if text := show(take(t, next, 1)); text != "4:1 " {
		t.Errorf("it was %s", text)
	}
}

// A taker that was cut off for less than a lease goes on where it was, and what was on its way comes in
// its order, whatever comes first.
func TestCutOff(t *testing.T) {
	t.Parallel()
	const rounds, each = 8, 20
	addr := embedded(t)
	q, had, between := stalled(t, addr)
	putter := open(t, connect(t, addr), "q", nats.QueueOptions{})
	n := 3
	for range rounds {
		rest(t.Context(), rand.N(lease/4))
		between.Hold(true)
		put(t, putter, "k", n, n+each) // they are delivered to a connection that is lost
		rest(t.Context(), 20*time.Millisecond)
		between.Cut()
		between.Hold(false)
		put(t, putter, "k", n+each, n+2*each)
		items := take(t, q, 2*each)
		for _, it := range items {
			if string(it.Data) != strconv.Itoa(n) || it.Epoch != had[0].Epoch || it.Tries != 1 {
				t.Fatalf("item %d is %s, epoch %d, tries %d", n, it.Data, it.Epoch, it.Tries)
			}
			n++
		}
		if err := q.Ack(t.Context(), items...); err != nil {
			t.Error(err)
		}
	}
}

// What was acknowledged, and did not reach the server, is acknowledged when that asks again.
func TestAckLater(t *testing.T) {
	t.Parallel()
	addr := embedded(t)
	q, had, between := stalled(t, addr)
	between.Hold(true)
	short, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := q.Ack(short, had[:2]...); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	between.Cut()
	between.Hold(false)
	name, _ := q.Streams()
	eventually(t, "what is left", func() error {
		s, err := connect(t, addr).Stream(t.Context(), name)
		if err == nil && s.CachedInfo().State.Msgs != 1 {
			err = fmt.Errorf("%d items", s.CachedInfo().State.Msgs)
		}
		return err
	})
	q.Die()
	next := open(t, connect(t, addr), "q", nats.QueueOptions{Lease: lease})
	if text := show(take(t, next, 1)); text != "2:2 " {
		t.Errorf("what is left is %s", text)
	}
}

// Whoever waits for a server that does not answer waits no longer than his context, also when his
// connection takes nothing any more.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	between := newProxy(t, embedded(t))
	js := connect(t, between.Addr(), natsgo.FlusherTimeout(20*time.Second))
	q := open(t, js, "q", nats.QueueOptions{Lease: lease})
	put(t, q, "k", 0, 5)
	items := take(t, q, 4)
	between.Hold(true)
	large := make([]byte, 1<<20-1000)
	tests := []struct {
		name string
		call func(ctx context.Context) error
	}{
		{"Put", func(ctx context.Context) error { return q.Put(ctx, message.Item{Key: "k"}) }},
		{"Ack", func(ctx context.Context) error { return q.Ack(ctx, next(&items)) }},
		{"Bury", func(ctx context.Context) error { return q.Bury(ctx, "why", next(&items)) }},
		{"Dead", func(ctx context.Context) error { _, err := q.Dead(ctx, 1); return err }},
		{"NewQueue", func(ctx context.Context) error {
			_, err := nats.NewQueue(ctx, js, "q", nats.QueueOptions{})
			return err
		}},
		{"Take", func(ctx context.Context) error { _, err := q.Take(ctx, 1); return err }},
		{"Put much", func(ctx context.Context) error {
			for ctx.Err() == nil {
				if err := q.Put(ctx, message.Item{Key: "k", Data: large}, message.Item{Key: "other", Data: large}); err == nil {
					return nil
				}
			}
			return ctx.Err()
		}},
		{"Take after that", func(ctx context.Context) error { _, err := q.Take(ctx, 1); return err }},
	}
	for _, tt := range tests {
		for _, want := range []error{context.DeadlineExceeded, context.Canceled} {
			ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
			if want == context.Canceled {
				ctx, cancel = context.WithCancel(t.Context())
				time.AfterFunc(300*time.Millisecond, cancel)
			}
			began := time.Now()
			err := tt.call(ctx)
			cancel()
			if took := time.Since(began); !errors.Is(err, want) || took > 5*time.Second {
				t.Errorf("%s: %v after %v, want %v", tt.name, err, took, want)
			}
		}
	}
	began := time.Now()
	if err := q.Close(); err == nil {
		t.Error("Close of a queue whose server is silent returned nil")
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// next takes the first of some items away.
func next(items *[]message.Item) message.Item {
	it := (*items)[0]
	*items = (*items)[1:]
	return it
}
