package redis

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Cache is a message.Store that answers pages of another from Redis, where all nodes find what one of
// them has read: so the database is read once for a fleet. A message.Cache may stand in front of it
// in each process, and joins the readers of one page there:
//
//	shared := redis.NewCache(client, store, redis.CacheOptions{})
//	cache := message.NewCache(shared, message.CacheOptions{})
//
// Of writes that go through a Cache of any node, no Cache hides anything: a page that is asked for
// after Append, Edit or Delete has returned has what they did. That holds when a page was being read
// meanwhile, when a writer is killed in the middle, and when Redis evicts keys, forgets everything, is
// started again with what it had before, or hands over to a replica that lacks the last of it. Where
// it is not known whether a write was done, because it failed or its process was killed, no page is
// kept that it might change for CacheOptions.Lease.
//
// Where Redis cannot be reached, pages are read from the store, and writes are done all the same:
// then those nodes that do reach Redis may have pages from before such a write, until
// CacheOptions.TTL has passed. CacheOptions.Strict has those writes fail instead, undone. The TTL
// bounds as well, in either case, for how long others see pages of a Redis master that is cut
// off and does not know that it has been replaced, and what is written to the store past every Cache.
//
// A read whose context has a message.WithStaleness goes straight to the store. All others ask the
// store, where they have to, for what is in force.
//
// A Cache is safe for concurrent use. Make it with [NewCache]; Close ends it.
type Cache struct {
	// Static after NewCache.
	client goredis.UniversalClient
	store  message.Store
	opts   CacheOptions
	origin string // differs from that of every other
	find   script
	keep   script
	write  script
	probe  time.Duration // how often a page asks a Redis that did not answer

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	running sync.WaitGroup // calls of Redis, one goroutine each

	mu     sync.Mutex // guards closed, and that nothing is added to running after it
	closed bool

	last  atomic.Uint64 // number of a generation or a write
	away  atomic.Int64  // until when reads leave Redis alone, in ns of 1970; 0: it answers
	stats struct{ hits, reads, kept, failed, untold atomic.Uint64 }
}

// CacheOptions configure a [Cache]. The zero value works. All nodes should have the same.
type CacheOptions struct {
	// Name is that of those who share pages; "": "gatehouse". It has no braces.
	Name string

	// TTL is how old a page may be, which matters where Redis could not be told of a write; 0: 10 s.
	TTL time.Duration

	// Lease is how long after it was begun, or after it failed, a write may still be done by
	// the store; 0: 30 s. For so long no page is kept of a channel whose writer was killed.
	Lease time.Duration

	// Timeout is how long a page or a write waits for Redis each time, and at most for half of
	// what is left to its context, which leaves some for the store; 0: 1 s. After a page has
	// waited in vain, one a second tries, and the others go to the store. A write tells Redis
	// twice; that it is over also when its context is, so that it may return so much later.
	Timeout time.Duration

	// MaxPages is of how many queries a channel's pages are kept; 0: 256.
	MaxPages int

	// MaxBytes is how long a page may be to be kept; 0: 256 KB. What a channel takes in Redis is
	// bounded by this and MaxPages, and what all take by the server's maxmemory: see doc.go.
	MaxBytes int

	// Strict refuses writes of which Redis cannot be told before they are done.
	Strict bool

	// OnError is told of what Redis did not do; nil: it is logged to slog.Default.
	OnError func(error)
}

// CacheStats is what a Cache has done since it was made.
type CacheStats struct {
	Hits   uint64 // pages that were in Redis
	Reads  uint64 // of the store
	Kept   uint64 // of those, how many are now in Redis for others
	Failed uint64 // calls of Redis
	Untold uint64 // writes of which Redis could not be told: pages may be older for a TTL
}

// NewCache returns a cache of a store, which has to be one whose pages have all that was written to it
// before. The client stays the caller's: close it after the Cache.
func NewCache(client goredis.UniversalClient, s message.Store, o CacheOptions) *Cache {
	if strings.ContainsAny(o.Name, "{}") {
		panic("redis: CacheOptions.Name has a brace in it")
	}
	if o.Name == "" {
		o.Name = "gatehouse"
	}
	for of, otherwise := range map[*time.Duration]time.Duration{&o.TTL: 10 * time.Second, &o.Lease: 30 * time.Second, &o.Timeout: time.Second} {
		if *of <= 0 {
			*of = otherwise
		}
		*of = max(*of, time.Millisecond)
	}
	if o.MaxPages <= 0 {
		o.MaxPages = 256
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 256 << 10
	}
	if o.OnError == nil {
		o.OnError = func(err error) { slog.Default().Error(err.Error()) }
	}
	c := &Cache{client: client, store: s, opts: o, origin: rand.Text(), find: cacheFindScript, keep: cacheKeepScript, write: cacheWriteScript, probe: time.Second}
	c.ctx, c.stop = context.WithCancel(context.Background())
	return c
}

// Stats returns the present figures.
func (c *Cache) Stats() CacheStats {
	s := &c.stats
	return CacheStats{s.hits.Load(), s.reads.Load(), s.kept.Load(), s.failed.Load(), s.untold.Load()}
}

// Close ends the calls of Redis that are running, and has all methods return message.ErrClosed. It does
// not close the store. What the client does not end within 2 s ends with the client's own timeouts.
func (c *Cache) Close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.stop()
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if !over(ctx, &c.running) {
		return fmt.Errorf("redis: close cache: %w", ctx.Err())
	}
	return nil
}

// token is one that nobody else has, nor had.
func (c *Cache) token() string { return c.origin + strconv.FormatUint(c.last.Add(1), 36) }

// do has Redis run a script, and waits for the answer no longer than Timeout and half of what is left to
// ctx. Without one, it may have been done all the same.
func (c *Cache) do(ctx context.Context, s script, keys []string, args ...any) (any, error) {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return nil, message.ErrClosed
	}
	c.running.Add(1)
	c.mu.Unlock()
	within := c.opts.Timeout
	if deadline, ok := ctx.Deadline(); ok {
		within = min(within, time.Until(deadline)/2)
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	result := make(chan call, 1)
	go func() { // the client does not always heed a context
		defer c.running.Done()
		calls := []call{s.call(keys, args...)}
		_ = exec(ctx, c.client, calls) // it has the error
		result <- calls[0]
	}()
	select {
	case done := <-result:
		if err := done.Err(); err != nil {
			return nil, ended(ctx, err)
		}
		return done.Val(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-c.ctx.Done():
		return nil, message.ErrClosed
	}
}

// failed notes that Redis did not do something.
func (c *Cache) failed(what string, err error) {
	if errors.Is(err, message.ErrClosed) {
		return
	}
	c.stats.failed.Add(1)
	c.opts.OnError(wrap(what, err))
}
