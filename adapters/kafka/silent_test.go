package kafka_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kfake"
)

// Every call ends with its context when no broker answers.
func TestSilentBroker(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	o := options(cluster.ListenAddrs()[0])
	q := open(t, o)
	put(t, q, "k", 0, 3)
	items := take(t, q, 2)
	cluster.Close()
	for name, call := range map[string]func(ctx context.Context) error{
		"Put":  func(ctx context.Context) error { return q.Put(ctx, message.Item{Key: "k"}) },
		"Ack":  func(ctx context.Context) error { return q.Ack(ctx, items[0]) },
		"Bury": func(ctx context.Context) error { return q.Bury(ctx, "why", items[1]) },
		"Dead": func(ctx context.Context) error { _, err := q.Dead(ctx, 1); return err },
		"Open": func(ctx context.Context) error { _, err := kafka.Open(ctx, o); return err },
		"Take": func(ctx context.Context) error { // the first one may say what went wrong
			_, err := q.Take(ctx, 1)
			for err != nil && ctx.Err() == nil {
				_, err = q.Take(ctx, 1)
			}
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := call(ctx)
			if took := time.Since(began); err == nil || took > 5*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	}
	began := time.Now()
	q.Close()
	if took := time.Since(began); took > 15*time.Second {
		t.Errorf("Close took %v", took)
	}
}

// A closed queue says so, to those who wait as well.
func TestClosed(t *testing.T) {
	q := open(t, options(fake(t)))
	waits := make(chan error)
	go func() {
		_, err := q.Take(context.Background(), 1)
		waits <- err
	}()
	rest(t.Context(), 50*time.Millisecond)
	if err := q.Close(); err != nil {
		t.Error(err)
	}
	_, e1 := q.Take(t.Context(), 1)
	_, e2 := q.Dead(t.Context(), 1)
	for _, err := range []error{<-waits, e1, e2, q.Put(t.Context(), message.Item{Key: "k"}), q.Ack(t.Context()), q.Bury(t.Context(), "why")} {
		if !errors.Is(err, message.ErrClosed) {
			t.Errorf("%v, want ErrClosed", err)
		}
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}

func TestPutWithoutKey(t *testing.T) {
	q := open(t, options(fake(t)))
	if err := q.Put(t.Context(), message.Item{Data: []byte("x")}); err == nil {
		t.Error("an item without a key was put")
	}
}

// Open does not touch topics that are there, and says what it cannot make.
func TestOpen(t *testing.T) {
	o := options(fake(t))
	open(t, o)
	o.Partitions = 3
	open(t, o)
	o.Topic, o.Replication = "of three", 3
	if _, err := kafka.Open(t.Context(), o); err == nil {
		t.Error("of one broker, a topic with three replicas was made")
	}
}
