package message

import (
	"container/list"
	"context"
	"slices"
	"sync"
)

// channel is what a pipeline remembers of a channel whose ids it gives. Only the one who stores
// for that channel touches it.
type channel struct {
	name   string
	epoch  uint64
	last   ID // the newest that is stored, as far as we know
	nonces nonces
	firsts map[nonce]*pending // see first
}

// first is an empty map for the messages of one batch by their nonces, again and again the same one.
func (c *channel) first() map[nonce]*pending {
	if c.firsts == nil {
		c.firsts = make(map[nonce]*pending)
	}
	return c.firsts
}

// channels are those that were used of late.
type channels struct {
	mu     sync.Mutex
	byName map[string]*list.Element
	recent list.List // of *channel, the last used first
}

func (c *channels) get(name string) *channel {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.byName[name]
	if e == nil {
		return nil
	}
	c.recent.MoveToFront(e)
	return e.Value.(*channel)
}

func (c *channels) put(ch *channel, most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byName == nil {
		c.byName = make(map[string]*list.Element)
	}
	c.byName[ch.name] = c.recent.PushFront(ch)
	for len(c.byName) > most {
		oldest := c.recent.Back()
		delete(c.byName, c.recent.Remove(oldest).(*channel).name)
	}
}

// forget has a channel read from the store again before it is used.
func (c *channels) forget(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.byName[name]; e != nil {
		c.recent.Remove(e)
		delete(c.byName, name)
	}
}

// firstPage is how much of a channel is read to begin with.
const firstPage = 100

// open returns what there is to know of a channel, from the store if need be: its newest id and
// the nonces of late. What was remembered in another epoch does not count.
func (p *Pipeline) open(ctx context.Context, name string, epoch uint64) (*channel, error) {
	if c := p.channels.get(name); c != nil && c.epoch == epoch {
		return c, nil
	}
	p.channels.forget(name)
	ctx = WithStaleness(ctx, 0) // an old page would have ids given that are not the highest
	c := &channel{name: name, epoch: epoch}
	since := p.since()
	var recent []Message // of the nonce window, newest first
	for q := (Query{Limit: firstPage}); ; q = (Query{Limit: MaxPage, Before: recent[len(recent)-1].ID}) {
		page, err := p.opts.Store.Page(ctx, name, q)
		if err != nil {
			return nil, err
		}
		if q.Before == 0 {
			if len(page) > 0 {
				c.last = page[len(page)-1].ID
			}
			p.index(ctx, page)
		}
		slices.Reverse(page)
		recent = append(recent, page...)
		if len(page) < q.Limit || len(recent) >= p.opts.MaxNonces || recent[len(recent)-1].ID < since {
			break
		}
	}
	for _, m := range slices.Backward(recent) {
		c.nonces.add(m, false, since, p.opts.MaxNonces)
	}
	p.channels.put(c, p.opts.MaxChannels)
	return c, nil
}
