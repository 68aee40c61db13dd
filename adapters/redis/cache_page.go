package redis

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Page is of message.Store. The slice is the caller's own.
func (c *Cache) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, wrap("page", err)
	}
	if c.ctx.Err() != nil {
		return nil, message.ErrClosed
	}
	if _, asked := message.StalenessOf(ctx); asked {
		return c.store.Page(ctx, channel, q)
	}
	page, generation, err := c.look(ctx, channel, q)
	if page != nil {
		c.stats.hits.Add(1)
		return page, nil
	}
	if errors.Is(err, message.ErrClosed) {
		return nil, err
	}
	c.stats.reads.Add(1)
	messages, err := c.store.Page(message.WithStaleness(ctx, 0), channel, q)
	if err == nil && generation != "" {
		c.keepPage(ctx, channel, q, generation, messages)
	}
	return messages, err
}

// look returns a page that is in Redis, which is not nil, or the generation under which one may be kept,
// or neither.
func (c *Cache) look(ctx context.Context, channel string, q message.Query) (page []message.Message, generation string, err error) {
	if !c.asks(time.Now()) {
		return nil, "", nil
	}
	reply, err := c.do(ctx, c.find, c.keys(channel), nameOf(q), c.token(), c.opts.TTL.Milliseconds())
	if err != nil {
		if ctx.Err() == nil {
			c.away.Store(time.Now().Add(c.probe).UnixNano())
			c.failed("page", err)
		}
		return nil, "", err
	}
	if c.away.Load() != 0 {
		c.away.Store(0)
	}
	switch reply := reply.(type) {
	case string:
		if page, err = decodePage(channel, reply); err != nil {
			c.failed("page", err)
		}
		return page, "", err
	case []any:
		if len(reply) == 1 {
			generation, _ = reply[0].(string)
		}
	}
	return nil, generation, nil
}

// asks reports whether a page should ask Redis.
func (c *Cache) asks(now time.Time) bool {
	until := c.away.Load()
	return until == 0 || now.UnixNano() >= until && c.away.CompareAndSwap(until, now.Add(c.probe).UnixNano())
}

// keepPage puts a page into Redis.
func (c *Cache) keepPage(ctx context.Context, channel string, q message.Query, generation string, messages []message.Message) {
	page := encodePage(messages, c.opts.MaxBytes)
	if page == nil {
		return
	}
	low, high := q.Span(messages)
	reply, err := c.do(ctx, c.keep, c.keys(channel)[:2], generation, nameOf(q), digits(low)+digits(high), page, c.opts.MaxPages)
	if err != nil {
		if ctx.Err() == nil {
			c.failed("keep a page", err)
		}
		return
	}
	if reply == int64(1) {
		c.stats.kept.Add(1)
	}
}

// keys are those of a channel: pages, spans and writes.
func (c *Cache) keys(channel string) []string {
	of := cachePrefix + c.opts.Name + "/" + channel
	return []string{of + "}:pages", of + "}:spans", of + "}:writes"}
}

// nameOf is a query's, within a channel.
func nameOf(q message.Query) string {
	kind, id := "newest", message.ID(0)
	switch {
	case q.Before != 0:
		kind, id = "before", q.Before
	case q.After != 0:
		kind, id = "after", q.After
	case q.Around != 0:
		kind, id = "around", q.Around
	}
	return kind + " " + strconv.FormatUint(uint64(id), 36) + " " + strconv.Itoa(q.Limit)
}

// digits are those of an id, so many of them that text is in the order of ids: Lua's numbers are
// not exact enough.
func digits(id message.ID) string { return fmt.Sprintf("%016x", uint64(id)) }
