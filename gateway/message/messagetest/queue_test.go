package messagetest

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func memoryQueues(testing.TB) Queues {
	first := message.NewMemoryQueue()
	return Queues{
		Taker: func(testing.TB) message.Queue { return first.Another() },
		Kill:  func(q message.Queue) { q.(*message.MemoryQueue).Close() },
	}
}

func TestMemoryQueue(t *testing.T) { Queue(t, memoryQueues) }
