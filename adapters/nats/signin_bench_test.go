package nats_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/signins"
)

// BenchmarkSignIn has clients sign in at a node whose broker and sessions are on a server that writes to a disk.
func BenchmarkSignIn(b *testing.B) {
	js := connect(b, newProcess(b).Addr())
	signins.Bench(b, gateway.Options{Broker: openBroker(b, js, "bench", nats.BrokerOptions{}), Sessions: openSessions(b, js, "bench", nats.StoreOptions{})})
}
