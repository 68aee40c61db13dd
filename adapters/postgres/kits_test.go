package postgres

import (
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

const empty = "DELETE FROM gatehouse_messages; DELETE FROM gatehouse_words"

func TestKits(t *testing.T) {
	s := servers.Postgres(t)
	store := opened(t, s.URL())
	t.Run("Store", func(t *testing.T) {
		messagetest.Store(t, func(t testing.TB) message.Store { run(t, s.URL(), empty); return store })
	})
	t.Run("Index", func(t *testing.T) {
		messagetest.Index(t, func(t testing.TB) message.Index { run(t, s.URL(), empty); return store.Index() })
	})
}

// TestKitReplicated runs the store's kit on a primary with a replica that lags as real ones do: who
// writes reads what it wrote.
func TestKitReplicated(t *testing.T) {
	s := servers.Postgres(t)
	store := opened(t, s.URL())
	r := follow(t, store, s.Replica().URL())
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
