package nats

import (
	"context"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Put is of message.Queue. The items of one partition are put one after another, each when the server
// has the one before it, so that one that is refused is not overtaken; partitions side by side.
func (q *Queue) Put(ctx context.Context, items ...message.Item) error {
	if len(items) == 0 {
		return wrap("put", q.alive(ctx))
	}
	var order []int
	lines := make(map[int][]*natsgo.Msg)
	for _, it := range items {
		if it.Key == "" {
			return errNoKey
		}
		n := q.partitionOf(it.Key)
		if lines[n] == nil {
			order = append(order, n)
		}
		m := encode(q.subject("item", n), it)
		if it.ID != "" && q.opts.Duplicates >= 0 {
			m.Header[jetstream.MsgIDHeader] = []string{messageID(it)}
		}
		lines[n] = append(lines[n], m)
	}
	return wrap("put", each(order, func(n int) error {
		for _, m := range lines[n] {
			err := q.call(ctx, func(ctx context.Context) error {
				_, err := q.js.PublishMsg(ctx, m)
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	}))
}

// alive says why nothing can be done.
func (q *Queue) alive(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return message.ErrClosed
	}
	return nil
}
