package redis

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Append is of message.Store.
func (c *Cache) Append(ctx context.Context, channel string, batch []message.Message) error {
	ids := make([]message.ID, len(batch))
	for i, m := range batch {
		ids[i] = m.ID
	}
	return c.around(ctx, "append", channel, ids, func() (known bool, err error) {
		err = c.store.Append(ctx, channel, batch)
		return err == nil || errors.As(err, new(message.BatchError)), err
	})
}

// Edit is of message.Store.
func (c *Cache) Edit(ctx context.Context, m message.Message) error {
	return c.around(ctx, "edit", m.Channel, []message.ID{m.ID}, func() (known bool, err error) {
		err = c.store.Edit(ctx, m)
		return err == nil || errors.Is(err, message.ErrNotFound), err
	})
}

// Delete is of message.Store.
func (c *Cache) Delete(ctx context.Context, channel string, ids ...message.ID) (deleted []message.ID, err error) {
	err = c.around(ctx, "delete", channel, ids, func() (known bool, err error) {
		deleted, err = c.store.Delete(ctx, channel, ids...)
		return err == nil, err
	})
	return deleted, err
}

// around does a write of these ids between two tellings. After the first, nothing is kept that the
// write might change; the second is for a Redis that has forgotten the first, or was not reached then.
// do reports whether it is known what was done.
func (c *Cache) around(ctx context.Context, what, channel string, ids []message.ID, do func() (known bool, err error)) error {
	if err := ctx.Err(); err != nil {
		return wrap(what, err)
	}
	if len(ids) == 0 {
		_, err := do()
		return err
	}
	tell := func(ctx context.Context, write string, lease time.Duration) error {
		_, err := c.do(ctx, c.write, c.keys(channel), write, lease.Milliseconds(), digits(slices.Min(ids)), digits(slices.Max(ids)))
		return err
	}
	write := c.token()
	before := tell(ctx, write, c.opts.Lease)
	switch {
	case before == nil:
	case ctx.Err() != nil, errors.Is(before, message.ErrClosed):
		return wrap(what, before)
	default:
		c.failed(what, before)
		if c.opts.Strict {
			return wrap(what, before)
		}
	}
	known, err := do()
	lease := c.opts.Lease // the store may still do it
	if known {
		lease = 0
	}
	after := tell(context.WithoutCancel(ctx), write, lease)
	if after != nil {
		c.failed(what, after)
		if before != nil {
			c.stats.untold.Add(1)
		}
	}
	return err
}
