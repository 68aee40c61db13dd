package main

import (
	"context"
	"encoding/json"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// telling tells of what was stored: notifications by a queue, for that must not be lost, and whoever
// is there by the broker. ctx is the process' own: until it ends, it is tried again, and what is
// told is not acknowledged before. So whoever is killed, it is told; maybe twice, by the same id.
type telling struct {
	ctx       context.Context
	stored    queue
	publisher *nats.Publisher
}

func (t telling) deliver(_ context.Context, channel string, batch []message.Message) error {
	items := make([]message.Item, len(batch))
	for i, m := range batch {
		data, err := json.Marshal(m)
		if err != nil {
			return err
		}
		items[i] = message.Item{Key: channel, ID: m.ID.String(), Data: data}
	}
	if err := insist(t.ctx, func(ctx context.Context) error { return t.stored.Put(ctx, items...) }); err != nil {
		return err
	}
	for _, m := range batch {
		err := insist(t.ctx, func(ctx context.Context) error {
			return t.publisher.Publish(ctx, "channel:"+channel, gateway.Event{Type: "MESSAGE_CREATE", Data: m, ID: m.ID.String()})
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Of what is insisted on.
const tryFor, tryAgainAfter = 5 * time.Second, 200 * time.Millisecond

// insist does something until it succeeds or ctx ends.
func insist(ctx context.Context, do func(context.Context) error) error {
	for {
		try, cancel := context.WithTimeout(ctx, tryFor)
		err := do(try)
		cancel()
		if err == nil {
			return nil
		}
		select {
		case <-time.After(tryAgainAfter):
		case <-ctx.Done():
			return err
		}
	}
}
