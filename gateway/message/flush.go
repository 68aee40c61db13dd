package message

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// flush stores messages of a channel, one call at a time for each, and tells their senders. An
// error has it called again with the same messages.
func (p *Pipeline) flush(ctx context.Context, name string, items []*pending) error {
	c, err := p.open(ctx, name, items[len(items)-1].epoch)
	if err != nil {
		return fmt.Errorf("message: read the newest of channel %q: %w", name, err)
	}
	fresh, err := p.admit(ctx, c, items)
	if err != nil {
		return err
	}
	stored, batch, err := p.store(ctx, c, fresh)
	if err != nil {
		return err
	}
	p.index(ctx, batch)
	p.deliver(ctx, name, batch)
	for _, it := range stored {
		it.settle(nil)
	}
	return nil
}

// admit gives ids to the messages that have none and finds those that were sent before. Those
// are settled, or become twins of the message in this batch that they repeat.
func (p *Pipeline) admit(ctx context.Context, c *channel, items []*pending) (fresh []*pending, err error) {
	since := p.since()
	c.nonces.forget(since, p.opts.MaxNonces)
	first := c.first()
	defer clear(first)
	fresh = make([]*pending, 0, len(items))
	after := c.last
	for _, it := range items {
		if it.settled || it.placed { // by a try before this one
			continue
		}
		if before := c.nonces.find(it.m); before != nil {
			p.repeated.Add(1)
			if err := p.repeat(ctx, before, it); err != nil {
				return nil, err
			}
			continue
		}
		key := nonce{it.m.Author, it.m.Nonce}
		if twin := first[key]; twin != nil {
			p.repeated.Add(1)
			twin.twins, it.placed = append(twin.twins, it), true
			continue
		}
		if it.m.Nonce != "" && p.opts.NonceWindow > 0 {
			first[key] = it
		}
		if it.m.ID == 0 {
			if it.m.ID, err = p.opts.IDs.Next(after); err != nil {
				return nil, err
			}
		}
		after = it.m.ID
		fresh = append(fresh, it)
	}
	return fresh, nil
}

// repeat answers a message that was sent again by what is stored. If nobody here knows that it
// was delivered, it is now.
func (p *Pipeline) repeat(ctx context.Context, before *sent, it *pending) error {
	page, err := p.opts.Store.Page(WithStaleness(ctx, 0), it.m.Channel, Query{Around: before.id, Limit: 1})
	if err != nil {
		return err
	}
	it.m.ID = before.id
	if len(page) == 1 && page[0].ID == before.id { // or it has been deleted
		it.m = page[0]
		if !before.delivered {
			p.deliver(ctx, it.m.Channel, page)
		}
	}
	before.delivered = true
	it.settle(nil)
	return nil
}

// store appends messages, settles those that the store refuses, and returns the others.
func (p *Pipeline) store(ctx context.Context, c *channel, fresh []*pending) (stored []*pending, batch []Message, err error) {
	if len(fresh) == 0 {
		return nil, nil, nil
	}
	batch = messages(fresh)
	began := time.Now()
	err = p.guard(func() error { return p.opts.Store.Append(ctx, c.name, batch) })
	var partly BatchError
	if err != nil && !errors.As(err, &partly) {
		p.observe(StageStore, began, len(fresh), len(fresh), err)
		return nil, nil, fmt.Errorf("message: store: %w", err)
	}
	p.observe(StageStore, began, len(fresh), len(partly), err)
	p.pace.Store(int64(time.Since(began)) / int64(len(fresh)))
	if stored = fresh; len(partly) > 0 {
		stored = refuse(fresh, partly)
		batch = messages(stored)
	}
	since := p.since()
	for _, it := range stored {
		c.last = it.m.ID
		c.nonces.add(it.m, true, since, p.opts.MaxNonces)
	}
	return stored, batch, nil
}

// refuse settles those messages that the store has refused, and returns the others.
func refuse(all []*pending, partly BatchError) (stored []*pending) {
	for i, it := range all {
		if why := partly[i]; why != nil {
			it.settle(&Refusal{Code: CodeNotStored, Cause: why})
			continue
		}
		stored = append(stored, it)
	}
	return stored
}

func (p *Pipeline) index(ctx context.Context, batch []Message) {
	if p.opts.Index != nil {
		p.afterwards(StageIndex, batch, func() error { return p.opts.Index.Add(ctx, batch) })
	}
}

func (p *Pipeline) deliver(ctx context.Context, channel string, batch []Message) {
	if p.opts.Deliver != nil {
		p.afterwards(StageDeliver, batch, func() error { return p.opts.Deliver(ctx, channel, batch) })
	}
}

// afterwards does something with messages that are stored: if it fails, they still are.
func (p *Pipeline) afterwards(s Stage, batch []Message, do func() error) {
	if len(batch) == 0 {
		return
	}
	began := time.Now()
	err := p.guard(do)
	failed := 0
	if err != nil {
		failed = len(batch)
	}
	p.observe(s, began, len(batch), failed, err)
	if err != nil {
		p.opts.OnError(s, batch, err)
	}
}

// guard makes an error of a panic: somebody else's message is in the same batch.
func (p *Pipeline) guard(do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("message: it panicked: %v", v)
		}
	}()
	return do()
}

// giveUp refuses messages that could not be stored. They may have been, since the store may have
// failed after its work: the channel is read again before it is used.
func (p *Pipeline) giveUp(name string, items []*pending, err error) {
	p.channels.forget(name)
	for _, it := range items {
		if !it.settled && !it.placed {
			it.settle(&Refusal{Code: CodeUnavailable, RetryAfter: leastWait, Message: "it could not be stored", Cause: err})
		}
	}
}

func messages(items []*pending) []Message {
	batch := make([]Message, len(items))
	for i, it := range items {
		batch[i] = it.m
	}
	return batch
}
