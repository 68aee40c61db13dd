package nats_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

func TestSessions(t *testing.T) {
	t.Parallel()
	sessionsKit(t, embedded(t), nats.StoreOptions{Storage: jetstream.MemoryStorage})
}

func TestSessionsOnDisk(t *testing.T) {
	t.Parallel()
	sessionsKit(t, newProcess(t).Addr(), nats.StoreOptions{})
}

func TestSessionsOnCluster(t *testing.T) {
	t.Parallel()
	sessionsKit(t, clustered(t), nats.StoreOptions{Replicas: 3})
}

// sessionsKit has all cases share a server.
func sessionsKit(t *testing.T, addrs string, o nats.StoreOptions) {
	js := connect(t, addrs)
	gatewaytest.SessionStore(t, func(t *testing.T) gateway.SessionStore {
		return openSessions(t, js, fmt.Sprint("kit-", names.Add(1)), o)
	})
}

func openSessions(t testing.TB, js jetstream.JetStream, name string, o nats.StoreOptions) *nats.Sessions {
	t.Helper()
	s, err := nats.NewSessions(context.Background(), js, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// A node writes over what it has without reading it, but not over what another has taken meanwhile.
func TestSaveOfWhatWasTaken(t *testing.T) {
	t.Parallel()
	js, ctx := connect(t, embedded(t)), t.Context()
	one, two := openSessions(t, js, "taken", nats.StoreOptions{}), openSessions(t, js, "taken", nats.StoreOptions{})
	rec := gateway.StoredSession{ID: "s", User: "ann", Node: "one", Expires: time.Now().Add(time.Hour), Data: []byte("1")}
	for range 3 {
		if err := one.Save(ctx, "one", rec); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := two.Take(ctx, "two", "s"); err != nil { // one has no lease
		t.Fatal(err)
	}
	var taken *gateway.TakenError
	if err := one.Save(ctx, "one", rec); !errors.As(err, &taken) {
		t.Errorf("Save returned %v", err)
	}
	if err := one.Delete(ctx, "one", "s"); err != nil {
		t.Error(err)
	}
	if got, err := two.Take(ctx, "two", "s"); err != nil || got.Node != "two" {
		t.Errorf("%+v, %v", got, err)
	}
}

// What was saved is there when the server was killed, and a lease that it has lasts no longer.
func TestSessionsSurviveAKill(t *testing.T) {
	t.Parallel()
	p, ctx := newProcess(t), t.Context()
	s := openSessions(t, connect(t, p.Addr()), "kill", nats.StoreOptions{})
	rec := gateway.StoredSession{ID: "s", User: "ann", Node: "one", Expires: time.Now().Add(time.Hour), Data: []byte("1")}
	if err := errors.Join(s.Renew(ctx, "one", time.Second), s.Save(ctx, "one", rec)); err != nil {
		t.Fatal(err)
	}
	p.Kill()
	short, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancel()
	if err := s.Save(short, "one", rec); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Save returned %v", err)
	}
	p.Start()
	eventually(t, "the dead node's session", func() error {
		_, err := s.Take(ctx, "two", "s")
		return err
	})
}

// What the server forgets by itself is no more in the stream.
func TestServerForgetsSessions(t *testing.T) {
	t.Parallel()
	js, ctx := connect(t, embedded(t)), t.Context()
	s := openSessions(t, js, "forget", nats.StoreOptions{})
	over := gateway.StoredSession{ID: "s", Expires: time.Now().Add(-time.Minute)}
	if err := s.Save(ctx, "one", over); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an empty stream", func() error {
		stream, err := js.Stream(ctx, "gatehouse-sessions-forget")
		if err != nil {
			return err
		}
		if n := stream.CachedInfo().State.Msgs; n > 0 {
			return fmt.Errorf("%d messages", n)
		}
		return nil
	})
}
