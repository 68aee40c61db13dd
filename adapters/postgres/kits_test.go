package postgres

import (
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

const empty = "DELETE FROM gatehouse_messages; DELETE FROM gatehouse_words"

// TestPostgres shows one primary and one replica to all that needs them, from the kits to their end.
func TestPostgres(t *testing.T) {
	s := servers.Postgres(t)
	standby := s.Replica()
	store := opened(t, s.URL())
	run(t, s.URL(), "CREATE ROLE clerk LOGIN") // see asClerk
	t.Run("Store", func(t *testing.T) {
		messagetest.Store(t, func(t testing.TB) message.Store { run(t, s.URL(), empty); return store })
	})
	t.Run("Index", func(t *testing.T) {
		messagetest.Index(t, func(t testing.TB) message.Index { run(t, s.URL(), empty); return store.Index() })
	})
	t.Run("Replicated", func(t *testing.T) { kitReplicated(t, s, store, follow(t, store, standby.URL())) })
	for name, test := range storeTests {
		t.Run(name, func(t *testing.T) { test(t, namespace(t, s)) })
	}
	t.Run("Silence", func(t *testing.T) { silence(t, s) })
	t.Run("Parts", func(t *testing.T) { parts(t, s, standby) })
	run(t, s.URL(), empty)
	t.Run("Replica", func(t *testing.T) { replica(t, s, standby) })
}

// kitReplicated runs the store's kit on a primary with a replica that lags as real ones do: who
// writes reads what it wrote.
func kitReplicated(t *testing.T, s *servers.PostgresServer, store *Store, r *Replica) {
	answered := uint64(0)
	messagetest.Store(t, func(t testing.TB) message.Store {
		run(t, s.URL(), empty)
		emptied := time.Now()
		eventually(t, "the replica is empty", func() bool { return hasAll(t, r, emptied) })
		both := message.NewReplicated(store, message.ReplicatedOptions{LagEvery: 1}, r)
		t.Cleanup(func() { answered += both.Stats().Replicas[0].Pages })
		return both
	})
	if answered == 0 {
		t.Error("the replica never answered")
	}
	t.Log("pages from the replica:", answered)
}

// hasAll reports whether a replica says that it has all that was done by a moment.
func hasAll(t testing.TB, r *Replica, by time.Time) bool {
	t.Helper()
	asked := time.Now()
	lag, err := r.Lag(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return lag <= asked.Sub(by)
}
