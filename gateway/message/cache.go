package message

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"time"
)

// Cache is a Store that answers pages of another from memory. It holds the newest messages of
// each channel that is read, kept up to date by the writes that go through it, and older pages as
// they were asked for; what was not used for the longest time makes room. Many readers who want one
// page at once are one read of the store.
//
// Of writes that go through it, it hides nothing: a page that is asked for after Append, Edit or
// Delete returned has what they did. While one of them is under way, a page is as before it or as
// after it. A page that was read meanwhile is kept if it is one of the newest messages, and then
// changed as the store is; others are not. Where a write failed, nothing that it may have touched is kept for
// CacheOptions.Timeout, because a server may still do it.
//
// Writes elsewhere, by other nodes or straight to the store, are seen CacheOptions.MaxAge later at
// the latest, or at once after [Cache.Invalidate]. A read whose context has a [WithStaleness] goes
// straight to the store.
//
// A Cache is safe for concurrent use. It does not cache messages by id, nor searches, and it does
// not read ahead.
type Cache struct {
	store Store
	opts  CacheOptions

	ctx     context.Context // of the reads; ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // reads of the store, one goroutine each

	mu       sync.Mutex // never held while the store is called
	channels map[string]*cachedChannel
	recent   list.List // of *cachedPage, the last used first
	stats    CacheStats
}

// CacheOptions bound a Cache. The zero value works.
type CacheOptions struct {
	// MaxBytes is how much memory the pages may take, roughly; 0: 64 MB.
	MaxBytes int

	// MaxAge is how old a page may be: for so long a write elsewhere may go unseen. 0: 1 s,
	// after which a channel with a thousand readers costs one read a second. Negative: no bound,
	// for where every write goes through this Cache or is told to Invalidate.
	MaxAge time.Duration

	// Tail is how many of the newest messages of a channel are kept up to date; 0: 200. A
	// page that asks for more is kept like an older one.
	Tail int

	// Timeout is how long one read of the store may take, since it belongs to no single
	// caller; 0: 10 s.
	Timeout time.Duration
}

// CacheStats is what a Cache has done since it was made, and holds now.
type CacheStats struct {
	Hits   uint64 // pages answered from memory
	Joined uint64 // that waited for a read which another had begun
	Reads  uint64 // of the store

	Pages, Bytes int
}

// NewCache returns a cache of a store. Close ends its reads.
func NewCache(s Store, o CacheOptions) *Cache {
	if o.MaxBytes <= 0 {
		o.MaxBytes = 64 << 20
	}
	if o.MaxAge == 0 {
		o.MaxAge = time.Second
	}
	if o.Tail <= 0 {
		o.Tail = 200
	}
	if o.Timeout <= 0 {
		o.Timeout = 10 * time.Second
	}
	c := &Cache{store: s, opts: o, channels: make(map[string]*cachedChannel)}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Append is of [Store].
func (c *Cache) Append(ctx context.Context, channel string, batch []Message) error {
	ids := make([]ID, len(batch))
	for i, m := range batch {
		ids[i] = m.ID
	}
	return c.write(ctx, channel, ids, func() (func([]Message) []Message, error) {
		err := c.store.Append(ctx, channel, batch)
		partly := BatchError(nil)
		if err != nil && !errors.As(err, &partly) {
			return nil, err
		}
		return func(tail []Message) []Message { return withAppended(tail, channel, batch, partly) }, err
	})
}

// Edit is of [Store].
func (c *Cache) Edit(ctx context.Context, m Message) error {
	return c.write(ctx, m.Channel, []ID{m.ID}, func() (func([]Message) []Message, error) {
		err := c.store.Edit(ctx, m)
		switch {
		case errors.Is(err, ErrNotFound):
			return func(tail []Message) []Message { return without(tail, []ID{m.ID}) }, err
		case err != nil:
			return nil, err
		}
		return func(tail []Message) []Message { return withEdited(tail, m) }, nil
	})
}

// Delete is of [Store].
func (c *Cache) Delete(ctx context.Context, channel string, ids ...ID) (deleted []ID, err error) {
	err = c.write(ctx, channel, ids, func() (func([]Message) []Message, error) {
		if deleted, err = c.store.Delete(ctx, channel, ids...); err != nil {
			return nil, err
		}
		return func(tail []Message) []Message { return without(tail, ids) }, nil
	})
	return deleted, err
}

// Invalidate forgets the pages of a channel, as when it was written to elsewhere: a page that is
// asked for afterwards is read after that, too.
func (c *Cache) Invalidate(channel string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if ch := c.channels[channel]; ch != nil {
		c.drop(ch.tail)
		c.touch(ch, &cacheWrite{ids: everything, amid: true})
		c.tidy(ch)
	}
}

// Stats returns the present figures.
func (c *Cache) Stats() CacheStats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.stats
	s.Pages = c.recent.Len()
	return s
}

// Close ends the reads under way, waits for them, and has Page return ErrClosed. It does not close
// the store, and writes still go through.
func (c *Cache) Close() {
	c.mu.Lock()
	c.stop()
	c.mu.Unlock()
	c.running.Wait()
}
