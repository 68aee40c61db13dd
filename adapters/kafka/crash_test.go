package kafka_test

import (
	"context"
	"flag"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

var instants = flag.Int("instants", 2, "at how many random instants each crash test kills something")

// The broker is killed under load, and takers die.
func TestCrashBroker(t *testing.T) {
	t.Parallel()
	s := broker(t)
	o := options(s.Addr())
	messagetest.QueueCrash(t, messagetest.Crash{
		Taker: func(ctx context.Context) (message.Queue, error) { return kafka.Open(ctx, o) },
		Kill:  s.Kill, Start: s.Start,
		Die:      func(q message.Queue) { q.(*kafka.Queue).Die() },
		Instants: *instants,
	})
}
