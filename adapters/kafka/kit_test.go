package kafka_test

import (
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

func TestQueue(t *testing.T) {
	die := func(q message.Queue) { q.(*kafka.Queue).Die() }
	t.Run("fake", func(t *testing.T) {
		t.Parallel()
		kit(t, fake(t), die)
	})
	t.Run("real", func(t *testing.T) {
		t.Parallel()
		kit(t, real(t).Addr(), die)
	})
}

func kit(t *testing.T, addr string, kill func(message.Queue)) {
	messagetest.Queue(t, func(testing.TB) messagetest.Queues {
		o := options(addr)
		return messagetest.Queues{
			Taker: func(t testing.TB) message.Queue { return open(t, o) },
			Kill:  kill,
		}
	})
}
