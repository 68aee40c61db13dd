package nats_test

import (
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	ctx, js := t.Context(), connect(t, embedded(t))
	open(t, js, "four", nats.QueueOptions{Partitions: 4})
	open(t, js, "four", nats.QueueOptions{})
	items, side := open(t, js, "four", nats.QueueOptions{Duplicates: time.Minute}).Streams()
	change := func(name string, change func(*jetstream.StreamConfig)) { // makes a queue, and has a stream of it be otherwise
		t.Helper()
		items, _ := open(t, js, name, nats.QueueOptions{}).Streams()
		s, err := js.Stream(ctx, items)
		if err != nil {
			t.Fatal(err)
		}
		o := s.CachedInfo().Config
		change(&o)
		if _, err := js.UpdateStream(ctx, o); err != nil {
			t.Fatal(err)
		}
	}
	change("newer", func(o *jetstream.StreamConfig) { o.Metadata["gatehouse-layout"] = "2" })
	change("forgets", func(o *jetstream.StreamConfig) { o.MaxAge = time.Hour })
	change("discards", func(o *jetstream.StreamConfig) { o.Discard, o.MaxMsgs = jetstream.DiscardOld, 100 })
	change("more", func(o *jetstream.StreamConfig) { o.Subjects = append(o.Subjects, "more") })
	change("larger", func(o *jetstream.StreamConfig) { o.MaxBytes, o.Duplicates = 1<<30, time.Hour })
	if _, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "gatehouse-queue-foreign", Subjects: []string{"foreign"}}); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		o    nats.QueueOptions
		want error
	}{
		{"", nats.QueueOptions{}, nats.ErrName},
		{"a.b", nats.QueueOptions{}, nats.ErrName},
		{"a b", nats.QueueOptions{}, nats.ErrName},
		{"four", nats.QueueOptions{Partitions: 5}, nats.ErrPartitions},
		{"newer", nats.QueueOptions{}, nats.ErrTooNew},
		{"forgets", nats.QueueOptions{}, nats.ErrStream},
		{"discards", nats.QueueOptions{}, nats.ErrStream},
		{"more", nats.QueueOptions{}, nats.ErrStream},
		{"foreign", nats.QueueOptions{}, nats.ErrStream},
		{"larger", nats.QueueOptions{}, nil},
	}
	for _, tt := range tests {
		q, err := nats.NewQueue(ctx, js, tt.name, tt.o)
		if !errors.Is(err, tt.want) {
			t.Errorf("%q with %+v: got %v, want %v", tt.name, tt.o, err, tt.want)
		}
		if err == nil {
			q.Close()
		}
	}
	for _, name := range []string{items, side} {
		s, err := js.Stream(ctx, name)
		if err != nil || s.CachedInfo().Config.Replicas != 1 {
			t.Errorf("stream %s: %v", name, err)
		}
	}
	if _, err := nats.NewQueue(ctx, js, "three", nats.QueueOptions{Replicas: 3}); err == nil {
		t.Error("a single server has made three replicas")
	}
}

// A server without JetStream, and an account without, are told apart from one that does not answer.
func TestNoJetStream(t *testing.T) {
	t.Parallel()
	without, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: -1, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	without.Start()
	defer without.Shutdown()
	if !without.ReadyForConnections(patience) {
		t.Fatal("no server")
	}
	account := embedded(t, func(o *server.Options) {
		poor := server.NewAccount("poor")
		o.Accounts = []*server.Account{poor}
		o.Users = []*server.User{{Username: "ann", Password: "ann", Account: poor}}
	})
	for name, js := range map[string]jetstream.JetStream{
		"server": connect(t, without.Addr().String()), "account": connect(t, account, natsgo.UserInfo("ann", "ann")),
	} {
		_, err := nats.NewQueue(t.Context(), js, "q", nats.QueueOptions{})
		if !errors.Is(err, nats.ErrNoJetStream) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
