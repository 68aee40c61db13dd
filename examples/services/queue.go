package main

import (
	"context"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gatehouse-go/gatehouse/adapters/kafka"
	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// queue is a queue that is closed in the end.
type queue interface {
	message.Queue
	Close() error
}

// openSaid opens the queue of what is said: in Kafka if there is one, else in NATS.
func openSaid(ctx context.Context, js jetstream.JetStream, brokers string) (queue, error) {
	if brokers == "" {
		return nats.NewQueue(ctx, js, queueSaid, nats.QueueOptions{Lease: lease})
	}
	return kafka.Open(ctx, kafka.Options{
		Brokers: strings.Split(brokers, ","), Topic: queueSaid,
		Client: []kgo.Opt{kgo.SessionTimeout(6 * time.Second)}, // the least that Kafka lets a group have
	})
}

// openStored opens the queue of what was stored.
func openStored(ctx context.Context, js jetstream.JetStream) (queue, error) {
	return nats.NewQueue(ctx, js, queueStored, nats.QueueOptions{Lease: lease})
}
