package nats

import (
	"context"
	"errors"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// ack is JetStream's word.
var ack = []byte("+ACK")

// Ack is of message.Queue. The error is not nil if some of the items may be with another taker by now.
// What could not be said is said again when the server delivers such an item anew, which it does within
// a quarter of a lease.
func (q *Queue) Ack(ctx context.Context, items ...message.Item) error {
	if err := q.alive(ctx); err != nil {
		return wrap("acknowledge", err)
	}
	entries, late := q.settle(items)
	if err := q.acknowledge(ctx, entries); err != nil {
		return wrap("acknowledge", err)
	}
	return late
}

// settle returns those of the items that are out, and are not any more. The error says that others are
// not this taker's.
func (q *Queue) settle(items []message.Item) (entries []*entry, late error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, it := range items {
		e, ours := it.Receipt.(*entry)
		switch {
		case !ours:
		case e.partition.lost:
			late = errLate
		case e.partition.settle(e):
			entries = append(entries, e)
		}
	}
	return entries, late
}

// acknowledge has the server know that settled items are dealt with.
func (q *Queue) acknowledge(ctx context.Context, entries []*entry) error {
	defer q.settled(entries)
	if len(entries) == 0 {
		return nil
	}
	return q.call(ctx, func(ctx context.Context) error {
		return each(entries, func(e *entry) error {
			_, err := q.conn.RequestWithContext(ctx, e.reply, ack)
			if errors.Is(err, natsgo.ErrNoResponders) {
				if lost := q.owns(ctx, e.partition); errors.Is(lost, errLost) {
					q.lose(e.partition)
					return errLate
				}
			}
			return err
		})
	})
}

// settled is told that the server knows, or will be told when it asks.
func (q *Queue) settled(entries []*entry) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, e := range entries {
		e.partition.settling--
		if e.partition.leaving && e.partition.drained() {
			note(q.kick)
		}
	}
}
