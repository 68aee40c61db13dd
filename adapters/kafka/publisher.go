package kafka

import (
	"context"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Publisher publishes to the sessions of a [Broker]'s gateways, from a service that has no gateway. Its
// methods may be called by many goroutines at once. Make it with [NewPublisher].
type Publisher struct{ events *events }

// NewPublisher opens the topic of the events, and makes it if it is not there yet. Only what
// NewPublisher does ends with ctx.
func NewPublisher(ctx context.Context, o BrokerOptions) (*Publisher, error) {
	e, err := openEvents(ctx, o)
	if err != nil {
		return nil, err
	}
	return &Publisher{e}, nil
}

// Publish sends an event to the sessions that are subscribed to a topic, on every node. It returns when
// the brokers keep it; see [Broker.Publish].
func (p *Publisher) Publish(ctx context.Context, topic string, ev gateway.Event) error {
	rec, err := gateway.Seal(topic, ev)
	if err != nil {
		return err
	}
	_, err = p.events.publish(ctx, rec)
	return p.events.wrap("publish", err)
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on.
// What they were about may be published all the same.
func (p *Publisher) Close() error {
	p.events.close()
	return nil
}
