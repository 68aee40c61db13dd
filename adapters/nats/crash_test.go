package nats_test

import (
	"context"
	"flag"
	"testing"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/gateway/message/messagetest"
)

var instants = flag.Int("instants", 3, "at how many random instants the server is killed")

// The server is killed under load, and takers die.
func TestCrash(t *testing.T) {
	t.Parallel()
	s := newProcess(t)
	js := connect(t, s.Addr())
	messagetest.QueueCrash(t, messagetest.Crash{
		Taker: func(ctx context.Context) (message.Queue, error) {
			return nats.NewQueue(ctx, js, "crash", nats.QueueOptions{Lease: lease})
		},
		Kill: s.Kill, Start: s.Start,
		Die:      func(q message.Queue) { q.(*nats.Queue).Die() },
		Instants: *instants,
	})
}
