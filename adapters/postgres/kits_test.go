package postgres

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// TestKits runs the kits, each case in a schema of its own.
func TestKits(t *testing.T) {
	s := servers.Postgres(t)
	t.Run("Store", func(t *testing.T) {
		messagetest.Store(t, func(t testing.TB) message.Store { return open(t, namespace(t, s)) })
	})
	t.Run("Index", func(t *testing.T) {
		messagetest.Index(t, func(t testing.TB) message.Index { return open(t, namespace(t, s)).Index() })
	})
}

// TestKitReplicated runs the store's kit on a primary with a replica that lags as real ones do: who
// writes reads what it wrote.
func TestKitReplicated(t *testing.T) {
	s := servers.Postgres(t)
	standby := s.Replica()
	fromReplica := uint64(0)
	messagetest.Store(t, func(t testing.TB) message.Store {
		url := namespace(t, s)
		store := open(t, url)
		r := follow(t, store, standby.URL()+url[len(s.URL()):])
		both := message.NewReplicated(store, message.ReplicatedOptions{LagEvery: 1}, r)
		eventually(t, "the tables on the replica", func() bool {
			_, err := r.Page(t.Context(), "7", message.Query{Limit: 1})
			return err == nil
		})
		t.Cleanup(func() { fromReplica += both.Stats().Replicas[0].Pages })
		return both
	})
	if fromReplica == 0 {
		t.Error("the replica never answered")
	}
	t.Log("pages from the replica:", fromReplica)
}
