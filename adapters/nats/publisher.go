package nats

import (
	"context"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Publisher publishes to the sessions of a [Broker]'s gateways, from a service that has no gateway. Its
// methods may be called by many goroutines at once. Make it with [NewPublisher].
type Publisher struct {
	history *history
}

// NewPublisher opens the broker that has this name, and makes it if it is not there yet. The connection
// below js stays the caller's. Only what NewPublisher does ends with ctx.
func NewPublisher(ctx context.Context, js jetstream.JetStream, name string, o BrokerOptions) (*Publisher, error) {
	h, err := openHistory(ctx, js, name, o.withDefaults())
	if err != nil {
		return nil, err
	}
	return &Publisher{h}, nil
}

// Publish sends an event to the sessions that are subscribed to a topic, on every node. It returns when
// the server has it; see [Broker.Publish].
func (p *Publisher) Publish(ctx context.Context, topic string, ev gateway.Event) error {
	rec, err := gateway.Seal(topic, ev)
	if err != nil {
		return err
	}
	return wrap("publish", p.history.publish(ctx, rec))
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on. It takes 2 s at most.
func (p *Publisher) Close() error { return p.history.end() }
