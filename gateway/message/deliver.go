package message

import (
	"context"
	"errors"
)

// Publisher is what events are published by: a *gateway.Gateway is one, with E its Event.
type Publisher[E any] interface {
	Publish(ctx context.Context, topic string, ev E) error
}

// To returns an Options.Deliver that publishes each message as the event, and to the topic, that
// event makes of it. A message that cannot be published does not hold up those behind it. Have the event
// bear the message's id (Event.ID of a gateway's): what is delivered again within the time that the broker knows it is
// then there once.
func To[E any](p Publisher[E], event func(m Message) (topic string, ev E)) func(context.Context, string, []Message) error {
	return func(ctx context.Context, _ string, batch []Message) error {
		var failed error
		for _, m := range batch {
			topic, ev := event(m)
			failed = errors.Join(failed, p.Publish(ctx, topic, ev))
		}
		return failed
	}
}
