package nats_test

import (
	"fmt"
	"sync/atomic"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

var names atomic.Int64

func TestQueue(t *testing.T) {
	t.Parallel()
	kit(t, connect(t, embedded(t)), nats.QueueOptions{Storage: jetstream.MemoryStorage})
}

func TestQueueOnDisk(t *testing.T) {
	t.Parallel()
	kit(t, connect(t, newProcess(t).Addr()), nats.QueueOptions{})
}

// kit has all cases share a server.
func kit(t *testing.T, js jetstream.JetStream, o nats.QueueOptions) {
	o.Lease = lease
	messagetest.Queue(t, func(t testing.TB) messagetest.Queues {
		name := fmt.Sprint("queue-", names.Add(1))
		return messagetest.Queues{
			Taker: func(t testing.TB) message.Queue { return open(t, js, name, o) },
			Kill:  func(q message.Queue) { q.(*nats.Queue).Die() },
		}
	})
}

func TestQueueOnCluster(t *testing.T) {
	t.Parallel()
	kit(t, connect(t, clustered(t)), nats.QueueOptions{Replicas: 3, Partitions: 4})
}
