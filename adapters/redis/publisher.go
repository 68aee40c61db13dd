package redis

import (
	"context"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Publisher publishes to the topics of a [Broker] from a service that has no gateway. It is safe for
// concurrent use. Make it with [NewPublisher]; Close ends it.
type Publisher struct{ h *history }

// NewPublisher opens the broker that has this name, as [NewBroker] does.
func NewPublisher(ctx context.Context, client goredis.UniversalClient, name string, o BrokerOptions) (*Publisher, error) {
	h, err := openHistory(ctx, client, name, o)
	if err != nil {
		return nil, err
	}
	return &Publisher{h}, nil
}

// Publish sends an event to the sessions that are subscribed to a topic, on every node, as the Publish of a
// gateway does. It returns when Redis has the event. While Redis is away it tries again, for
// BrokerOptions.Timeout at most, and the event is published once. After an error it may have been: see Event.ID and [Broker.Publish].
func (p *Publisher) Publish(ctx context.Context, topic string, ev gateway.Event) error {
	rec, err := gateway.Seal(topic, ev)
	if err != nil {
		return err
	}
	return wrap("publish", p.h.publish(ctx, rec))
}

// Close ends the calls that are running. When Redis does not answer, it returns within 2 s.
func (p *Publisher) Close() error { return p.h.close() }
