package message

import (
	"context"
	"fmt"
	"slices"
	"time"
)

// sharedRead is one read of the store, for all who want the page at the time. Guarded by Cache.mu,
// but for what done publishes.
type sharedRead struct {
	query   Query
	began   time.Time
	cancel  context.CancelFunc
	waiters int
	writes  []*cacheWrite // that ran while it did, in the order in which they began

	done  chan struct{}
	clean bool // the page has all that was written before done
	page  []Message
	err   error
}

// Page is of [Store]. The slice is the caller's own.
func (c *Cache) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if _, asked := StalenessOf(ctx); asked {
		return c.store.Page(ctx, channel, q)
	}
	// A read that had begun before we came may lack what we must see, unless nothing was
	// written meanwhile. One that begins after that is ours to take as it is.
	for late := true; ; late = false {
		page, r, ours, err := c.find(channel, q)
		if r == nil {
			return slices.Clone(page), err
		}
		select {
		case <-r.done:
		case <-ctx.Done():
			c.leave(channel, r)
			return nil, ctx.Err()
		}
		if ours || !late || r.clean {
			return slices.Clone(r.page), r.err
		}
	}
}

// find returns a page from memory, or the read to wait for, and whether it begins now.
func (c *Cache) find(channel string, q Query) (page []Message, r *sharedRead, ours bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ctx.Err() != nil {
		return nil, nil, false, ErrClosed
	}
	ch := c.channel(channel)
	if page, there := c.lookup(ch, q); there {
		c.stats.Hits++
		return page, nil, false, nil
	}
	if r = ch.reads[q]; r != nil {
		c.stats.Joined++
		r.waiters++
		return nil, r, false, nil
	}
	c.stats.Reads++
	r = &sharedRead{query: q, began: time.Now(), waiters: 1, done: make(chan struct{})}
	for w := range ch.writes {
		r.writes = append(r.writes, w)
	}
	ctx, cancel := context.WithTimeout(c.ctx, c.opts.Timeout)
	r.cancel = cancel
	ch.reads[q] = r
	c.running.Go(func() {
		defer cancel()
		page, err := c.ask(ctx, channel, q)
		c.finish(ch, r, page, err)
	})
	return nil, r, true, nil
}

// ask reads the store. A panic would end the process here, and not just one caller.
func (c *Cache) ask(ctx context.Context, channel string, q Query) (page []Message, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("message: the store panicked: %v", v)
		}
	}()
	return c.store.Page(ctx, channel, q)
}

// finish tells the waiters, and keeps the page if it is as good as one that is read now.
func (c *Cache) finish(ch *cachedChannel, r *sharedRead, page []Message, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(r.done)
	r.page, r.err = page, err
	if ch.reads[r.query] != r {
		return // nobody waited any more, so that writes were not noted either
	}
	delete(ch.reads, r.query)
	if err == nil {
		p := &cachedPage{channel: ch, query: r.query, ids: r.query.span(page), messages: page, read: r.began, bytes: sizeOf(page)}
		newest := c.isNewest(r.query)
		if r.clean = p.mend(r.writes, newest, c.opts.Tail); r.clean && newest {
			r.page, r.clean = p.answer(r.query)
		}
		if r.clean {
			c.keep(p)
		} else {
			r.page = page
		}
	}
	c.tidy(ch)
}

// leave ends a read that nobody waits for any more.
func (c *Cache) leave(channel string, r *sharedRead) {
	c.mu.Lock()
	defer c.mu.Unlock()
	r.waiters--
	ch := c.channels[channel]
	if r.waiters == 0 && ch != nil && ch.reads[r.query] == r {
		r.cancel()
		delete(ch.reads, r.query)
		c.tidy(ch)
	}
}
