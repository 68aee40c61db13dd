package redis

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"
)

// InvalidationOptions configure [Invalidations].
type InvalidationOptions struct {
	// Name is that of those who tell each other; "": "gatehouse".
	Name string

	// Invalidate is called with a channel that another node has changed: a message.Cache has
	// that method. Required. It should return soon; one call at a time.
	Invalidate func(channel string)

	// Missed, if set, is called when changes may have been missed: the connection to Redis
	// was lost, and is there again.
	Missed func()

	// OnError is told of changes that could not be told; nil: they are logged to slog.Default.
	OnError func(error)
}

// Invalidations tell the nodes of which channels the messages have changed, so that each can have
// its message.Cache forget them:
//
//	cache := message.NewCache(store, message.CacheOptions{})
//	changes := redis.NewInvalidations(client, redis.InvalidationOptions{Invalidate: cache.Invalidate})
//	shared := changes.Store(cache) // what the node writes to and reads from
//
// What is told is heard by all who are connected then, in a few milliseconds; nobody is told of
// what was said while he was not. So it makes caches fresher, and is no reason for a negative
// message.CacheOptions.MaxAge, unless Missed deals with that.
//
// An Invalidations is safe for concurrent use. Make it with [NewInvalidations]; Close ends it.
type Invalidations struct {
	// Static after NewInvalidations.
	client goredis.UniversalClient
	opts   InvalidationOptions
	origin string // differs from that of every other

	ctx     context.Context // ends with Close
	stop    context.CancelFunc
	some    chan struct{} // there is something in changed; one note
	running sync.WaitGroup

	mu      sync.Mutex
	changed map[string]struct{} // channels of which nobody has been told yet
}

// NewInvalidations listens until Close. The client stays the caller's: close it afterwards.
func NewInvalidations(client goredis.UniversalClient, o InvalidationOptions) *Invalidations {
	if o.Invalidate == nil {
		panic("redis: InvalidationOptions.Invalidate is required")
	}
	if o.Name == "" {
		o.Name = "gatehouse"
	}
	if o.OnError == nil {
		o.OnError = func(err error) { slog.Default().Error(err.Error()) }
	}
	i := &Invalidations{client: client, opts: o, origin: rand.Text(), some: make(chan struct{}, 1), changed: make(map[string]struct{})}
	i.ctx, i.stop = context.WithCancel(context.Background())
	i.running.Go(i.tell)
	i.running.Go(i.hear)
	return i
}

// Close stops listening and telling; what has not been told is not told. When Redis does not
// answer, it returns within 2 s, and what waits for the client ends with the client's own timeouts.
func (i *Invalidations) Close() error {
	i.stop()
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	if !over(ctx, &i.running) {
		return fmt.Errorf("redis: close invalidations: %w", ctx.Err())
	}
	return nil
}

// Changed tells the other nodes that messages of channels have changed, soon and without waiting
// for it. While that takes, a channel that changes often is told once.
func (i *Invalidations) Changed(channels ...string) {
	i.mu.Lock()
	for _, channel := range channels {
		i.changed[channel] = struct{}{}
	}
	i.mu.Unlock()
	note(i.some)
}

// telling bounds how long one Publish may take; pauses between those that fail keep an absent
// server from costing much.
const telling, pause = 2 * time.Second, 100 * time.Millisecond

// tell is the goroutine that publishes what has changed.
func (i *Invalidations) tell() {
	for {
		select {
		case <-i.some:
		case <-i.ctx.Done():
			return
		}
		i.mu.Lock()
		changed := i.changed
		i.changed = make(map[string]struct{})
		i.mu.Unlock()
		for _, told := range encode(i.origin, changed) {
			ctx, cancel := context.WithTimeout(i.ctx, telling)
			err := i.client.Publish(ctx, i.channel(), told).Err()
			cancel()
			if i.ctx.Err() != nil {
				return
			}
			if err != nil { // later it would be too late: they are older than a cache keeps them
				i.opts.OnError(fmt.Errorf("redis: tell of changes: %w", err))
				rest(i.ctx, pause)
				break
			}
		}
	}
}

func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

func (i *Invalidations) channel() string { return "gatehouse:changes:{" + i.opts.Name + "}" }

// hear is the goroutine that listens to the other nodes.
func (i *Invalidations) hear() {
	heard := i.client.Subscribe(i.ctx, i.channel())
	defer heard.Close()
	what := heard.ChannelWithSubscriptions()
	for before := false; ; {
		select {
		case <-i.ctx.Done():
			return
		case m, open := <-what:
			if !open { // the client was closed
				return
			}
			switch m := m.(type) {
			case *goredis.Subscription:
				if before && i.opts.Missed != nil {
					i.opts.Missed()
				}
				before = true
			case *goredis.Message:
				origin, channels, err := decode([]byte(m.Payload))
				if err != nil {
					i.opts.OnError(err)
				}
				if err != nil || origin == i.origin {
					continue
				}
				for _, channel := range channels {
					i.opts.Invalidate(channel)
				}
			}
		}
	}
}
