package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

// A taker dies without a word here.
func TestQueue(t *testing.T) {
	t.Parallel()
	kit(t, broker(t).Addr(), (*kafka.Queue).Die)
}

// It says goodbye here: a fake broker keeps a member for long that dies while it joins.
func TestFakeQueue(t *testing.T) {
	t.Parallel()
	kit(t, fake(t), func(q *kafka.Queue) { q.Close() })
}

func kit(t *testing.T, addr string, kill func(*kafka.Queue)) {
	messagetest.Queue(t, func(testing.TB) messagetest.Queues {
		o := options(addr)
		return messagetest.Queues{
			Taker: func(t testing.TB) message.Queue { return open(t, o) },
			Kill:  func(q message.Queue) { kill(q.(*kafka.Queue)) },
		}
	})
}
