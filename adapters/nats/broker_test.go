package nats_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

func TestBroker(t *testing.T) {
	t.Parallel()
	brokerKit(t, embedded(t), nats.BrokerOptions{Storage: jetstream.MemoryStorage, HistoryBytes: 16 << 20})
}

func TestBrokerOnDisk(t *testing.T) {
	t.Parallel()
	brokerKit(t, newProcess(t).Addr(), nats.BrokerOptions{})
}

func TestBrokerOnCluster(t *testing.T) {
	t.Parallel()
	brokerKit(t, clustered(t), nats.BrokerOptions{Replicas: 3})
}

// Its history is short, so that kept and forgotten records meet.
func TestBrokerOfLittleHistory(t *testing.T) {
	t.Parallel()
	brokerKit(t, newProcess(t).Addr(), nats.BrokerOptions{HistoryBytes: 100 << 10})
}

// brokerKit has all cases share a server.
func brokerKit(t *testing.T, addrs string, o nats.BrokerOptions) {
	js := connect(t, addrs)
	gatewaytest.Broker(t, func(t *testing.T) gateway.Broker {
		return openBroker(t, js, fmt.Sprint("kit-", names.Add(1)), o)
	})
}

func openBroker(t testing.TB, js jetstream.JetStream, name string, o nats.BrokerOptions) *nats.Broker {
	t.Helper()
	b, err := nats.NewBroker(context.Background(), js, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return b
}
