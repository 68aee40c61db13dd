package nats_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/presence"
	"github.com/gatehouse-go/gatehouse/presence/presencetest"
)

func TestPresence(t *testing.T) {
	t.Parallel()
	presenceKit(t, embedded(t), nats.StoreOptions{Storage: jetstream.MemoryStorage})
}

func TestPresenceOnDisk(t *testing.T) {
	t.Parallel()
	presenceKit(t, newProcess(t).Addr(), nats.StoreOptions{})
}

func TestPresenceOnCluster(t *testing.T) {
	t.Parallel()
	presenceKit(t, clustered(t), nats.StoreOptions{Replicas: 3})
}

// presenceKit has all cases share a server.
func presenceKit(t *testing.T, addrs string, o nats.StoreOptions) {
	js := connect(t, addrs)
	presencetest.Run(t, func(t testing.TB) presence.Store {
		p, err := nats.NewPresence(context.Background(), js, fmt.Sprint("kit-", names.Add(1)), o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := p.Close(); err != nil {
				t.Error(err)
			}
		})
		return p
	})
}
