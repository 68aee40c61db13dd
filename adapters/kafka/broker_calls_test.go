package kafka_test

import (
	"bytes"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Every call ends with its context when no broker answers, and says so when it is closed.
func TestSilentBrokers(t *testing.T) {
	t.Parallel()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	o := brokerOptions(cluster.ListenAddrs()[0])
	b := openBroker(t, o)
	p, err := kafka.NewPublisher(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	w := watching(t, b, "a")
	at := w.follow(t, "a")
	cluster.Close()
	calls := map[string]func(ctx context.Context) error{
		"Publish":           func(ctx context.Context) error { return b.Publish(ctx, number("a", 0)) },
		"Since":             func(ctx context.Context) error { _, err := b.Since(ctx, at); return err },
		"Follow":            func(ctx context.Context) error { _, err := w.Follow(ctx, "z"); return err },
		"Publisher.Publish": func(ctx context.Context) error { return p.Publish(ctx, "a", gateway.Event{Type: "N"}) },
	}
	for name, call := range calls {
		ctx, cancel := context.WithTimeout(context.Background(), 200*time.Millisecond)
		began := time.Now()
		err := call(ctx)
		cancel()
		if took := time.Since(began); err == nil || took > 5*time.Second {
			t.Errorf("%s: %v after %v", name, err, took)
		}
	}
	b.Close()
	b.Close()
	p.Close()
	p.Close()
	for name, call := range calls {
		if err := call(t.Context()); !errors.Is(err, gateway.ErrClosed) {
			t.Errorf("%s: %v, want ErrClosed", name, err)
		}
	}
	if _, err := b.Open(t.Context(), w.deliver); !errors.Is(err, gateway.ErrClosed) {
		t.Errorf("Open: %v, want ErrClosed", err)
	}
}

// An event that is too large is refused, and holds nobody up; a history that is too long is a gap.
func TestTooLarge(t *testing.T) {
	t.Parallel()
	o := brokerOptions(fake(t))
	o.History, o.HistoryBytes = 10, 1000
	b := openBroker(t, o)
	w := watching(t, b, "a")
	at := w.follow(t, "a")
	large := gateway.Record{Topic: "a", Type: "N", Data: bytes.Repeat([]byte("1"), 1<<20)}
	if err := b.Publish(soon(t), large); !errors.Is(err, kerr.MessageTooLarge) {
		t.Errorf("a large record: %v", err)
	}
	publish(t, b, "a", 0, 10)
	w.has(t, "a", numbers(0, 10))
	if recs, err := b.Since(soon(t), at); err != nil || len(recs) != 10 {
		t.Errorf("ten records: %d, %v", len(recs), err)
	}
	publish(t, b, "a", 10, 11)
	if _, err := b.Since(soon(t), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("eleven records: %v", err)
	}
	at = w.follow(t, "a")
	large.Data = large.Data[:1000]
	if err := b.Publish(soon(t), large); err != nil {
		t.Error(err)
	}
	if _, err := b.Since(soon(t), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("more than a thousand bytes: %v", err)
	}
}
