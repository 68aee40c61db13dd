package postgres

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/jackc/pgx/v5/pgxpool"
)

// replica has a replica be late, come back, be killed, lose its primary and become one.
func replica(t *testing.T, s, standby *servers.PostgresServer) {
	store := opened(t, s.URL())
	r := follow(t, store, standby.URL())
	both := message.NewReplicated(store, message.ReplicatedOptions{LagEvery: 1, Backoff: 10 * time.Millisecond}, r)
	add := func(n int) (done time.Time) {
		t.Helper()
		if err := both.Append(t.Context(), "7", []message.Message{said("7", n)}); err != nil {
			t.Fatal(err)
		}
		return time.Now()
	}
	has := func(by time.Time) func() bool { return func() bool { return hasAll(t, r, by) } }
	eventually(t, "message 1", has(add(1)))
	if got := contents(t, r, "7"); got != "message 1;" {
		t.Errorf("a replica that says it has it: %q", got)
	}

	standby.PauseReplay()
	second := add(2)
	if has(second)() {
		t.Error("a replica that has stopped says it has message 2")
	}
	if got := contents(t, r, "7"); got != "message 1;" {
		t.Errorf("a replica that has stopped: %q", got)
	}
	if got := contents(t, both, "7"); got != "message 1;message 2;" {
		t.Errorf("who wrote reads %q", got)
	}
	before := lag(t, r)
	standby.ResumeReplay()
	eventually(t, "message 2", has(second))
	if got := contents(t, r, "7"); got != "message 1;message 2;" || before <= 0 {
		t.Errorf("a replica that was %v late has %q", before, got)
	}

	// Started again, it waits for its place, and pages do not go back.
	standby.Kill()
	third := add(3)
	if _, err := r.Lag(t.Context()); err == nil {
		t.Error("a dead replica tells its lag")
	}
	if got := contents(t, both, "7"); got != "message 1;message 2;message 3;" {
		t.Errorf("with a dead replica: %q", got)
	}
	standby.Start()
	eventually(t, "message 3", func() bool {
		asked := time.Now()
		lag, err := r.Lag(t.Context())
		return err == nil && lag <= asked.Sub(third)
	})
	if got := contents(t, r, "7"); got != "message 1;message 2;message 3;" {
		t.Errorf("back again: %q", got)
	}

	// A replica has what it has when its primary is gone.
	s.Kill()
	first := lag(t, r)
	if second := lag(t, r); second <= first || second == unknown {
		t.Errorf("behind a dead primary: %v, then %v", first, second)
	}
	if got := contents(t, r, "7"); got != "message 1;message 2;message 3;" {
		t.Errorf("behind a dead primary: %q", got)
	}
	ask[bool](t, standby.URL(), "SELECT pg_promote()")
	if _, err := r.Lag(t.Context()); !errors.Is(err, ErrReplica) {
		t.Errorf("it is a primary now: %v", err)
	}
}

func lag(t testing.TB, r *Replica) time.Duration {
	t.Helper()
	lag, err := r.Lag(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lag
}

// parts gives servers for what they are not.
func parts(t *testing.T, one, standby *servers.PostgresServer) {
	another := servers.Postgres(t)
	store := opened(t, one.URL())
	if _, err := Open(t.Context(), standby.URL(), Options{}); !errors.Is(err, ErrReplica) {
		t.Errorf("a replica as primary: %v", err)
	}
	if _, err := follow(t, store, one.URL()).Lag(t.Context()); !errors.Is(err, ErrReplica) {
		t.Errorf("a primary as replica: %v", err)
	}
	if _, err := follow(t, opened(t, another.URL()), standby.URL()).Lag(t.Context()); !errors.Is(err, ErrReplica) {
		t.Errorf("a replica of another: %v", err)
	}

	// One that is behind where it was, as if it had started again: no new connection to it is made.
	r := follow(t, store, standby.URL())
	r.furthest = 1 << 62
	if _, err := r.Page(t.Context(), "7", message.Query{Limit: 1}); !errors.Is(err, ErrBehind) {
		t.Errorf("a page of a replica that went back: %v", err)
	}
	r.furthest = 0
	lag(t, r)
	r.furthest = 1 << 62
	if _, err := r.Lag(t.Context()); !errors.Is(err, ErrBehind) {
		t.Errorf("the lag of a replica that went back: %v", err)
	}

	// Rights to connect are enough, here as there.
	run(t, one.URL(), "GRANT SELECT ON ALL TABLES IN SCHEMA public TO clerk")
	config, err := configOf(asClerk(t, one.URL()), Options{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	clerk := &Store{pool: pool}
	defer clerk.Close()
	made := time.Now()
	r = follow(t, clerk, asClerk(t, standby.URL()))
	eventually(t, "a clerk's lag", func() bool {
		asked := time.Now()
		lag, err := r.Lag(t.Context())
		return err == nil && lag <= asked.Sub(made)
	})

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := r.Lag(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
