package messages

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Hot is what readers of one page at once cost its store.
type Hot struct {
	Reads int           // of the store
	Took  time.Duration // until all have the page
}

// HotChannel has so many readers ask for the newest page of a channel at once, again and
// again, each time when a message.Cache has forgotten it, while somebody writes to the
// channel all the time.
func HotChannel(ctx context.Context, c Config, readers, times int) (all []Hot, err error) {
	o, err := c.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	store := &counter{Store: o.Store}
	cache := message.NewCache(store, message.CacheOptions{MaxAge: -1})
	defer cache.Close()
	p, err := message.New(message.Options{Store: cache})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Close(ctx)) }()
	say := func() error {
		_, err := p.Send(ctx, message.Message{Channel: "hot", Author: "ann", Content: texts[0]})
		return err
	}
	for range 100 {
		if err := say(); err != nil {
			return nil, err
		}
	}
	over, written := make(chan struct{}), make(chan error, 1)
	go func() {
		tick := time.NewTicker(time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if err := say(); err != nil {
					written <- err
					return
				}
			case <-over:
				written <- nil
				return
			}
		}
	}()
	for range times {
		cache.Invalidate("hot")
		h, err := atOnce(ctx, cache, store, readers)
		if err != nil {
			return nil, err
		}
		all = append(all, h)
	}
	close(over)
	return all, <-written
}

// atOnce has the readers begin together.
func atOnce(ctx context.Context, cache *message.Cache, store *counter, readers int) (h Hot, err error) {
	var all sync.WaitGroup
	begin, failed := make(chan struct{}), make(chan error, readers)
	for range readers {
		all.Go(func() {
			<-begin
			page, err := cache.Page(ctx, "hot", message.Query{Limit: 50})
			if err == nil && len(page) != 50 {
				err = fmt.Errorf("a page of %d messages", len(page))
			}
			if err != nil {
				failed <- err
			}
		})
	}
	before, began := store.reads.Load(), time.Now()
	close(begin)
	all.Wait()
	close(failed)
	return Hot{int(store.reads.Load() - before), time.Since(began)}, <-failed
}

// counter counts pages.
type counter struct {
	message.Store
	reads atomic.Int64
}

func (c *counter) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	c.reads.Add(1)
	return c.Store.Page(ctx, channel, q)
}
