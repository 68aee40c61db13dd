package message

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"
)

// queued is a message in a queue.
type queued struct {
	Version int    `json:"v"`
	Author  string `json:"a,omitempty"`
	Content string `json:"c,omitempty"`
	Data    []byte `json:"d,omitempty"`
	Nonce   string `json:"n"`
}

// queuedVersion is what we write; we read no other.
const queuedVersion = 1

// name gives a message a nonce of ours.
func (p *Pipeline) name(m *Message) error {
	id, err := p.opts.IDs.Next(0)
	m.Nonce = "queue:" + id.String()
	return err
}

// put leaves a message to whoever consumes the queue. There it can come twice, so it has a nonce.
// Its item has an ID, by which a queue may drop repeats, unless the sender waits for it: a repeat
// is told of the first then, when it comes out.
func (p *Pipeline) put(ctx context.Context, m Message, waits bool) (Message, error) {
	if m.Nonce == "" {
		if err := p.name(&m); err != nil {
			return m, err
		}
	}
	data, err := json.Marshal(queued{queuedVersion, m.Author, m.Content, m.Data, m.Nonce})
	if err != nil {
		return m, &Refusal{Code: CodeInvalid, Cause: err}
	}
	began := time.Now()
	item := Item{Key: m.Channel, Data: data}
	if !waits {
		item.ID = fmt.Sprintf("%q/%q", m.Author, m.Nonce)
	}
	err = p.opts.Queue.Put(ctx, item)
	if err != nil {
		p.observe(StageQueue, began, 1, 1, err)
		return m, fmt.Errorf("message: it may be queued or not: %w", err)
	}
	p.observe(StageQueue, began, 1, 0, nil)
	return m, nil
}

// unqueue reads what put wrote.
func unqueue(item Item) (Message, error) {
	var q queued
	if err := json.Unmarshal(item.Data, &q); err != nil {
		return Message{}, fmt.Errorf("message: no message of ours: %w", err)
	}
	if q.Version != queuedVersion || q.Nonce == "" || item.Key == "" {
		return Message{}, fmt.Errorf("message: no message of version %d", queuedVersion)
	}
	return Message{Channel: item.Key, Author: q.Author, Content: q.Content, Data: q.Data, Nonce: q.Nonce}, nil
}

var errNoQueue = errors.New("message: Options.Queue is not set")

// Waits between tries of a queue, or of a store, that fails.
const firstPause, lastPause = 50 * time.Millisecond, 5 * time.Second

// Consume stores, indexes and delivers what comes out of Options.Queue, until ctx ends, and
// returns its error then. While the store fails it waits and tries again; what the store refuses,
// and what is no message of ours, is buried and told to OnError. One call at a time. Close the
// taker afterwards: what it took and Consume did not get done stays with it until then.
func (p *Pipeline) Consume(ctx context.Context) error {
	if p.opts.Queue == nil {
		return errNoQueue
	}
	for pause := firstPause; ; {
		items, err := p.opts.Queue.Take(ctx, p.takes())
		if err == nil {
			pause = firstPause
			p.consume(ctx, items)
			err = ctx.Err()
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			p.opts.OnError(StageQueue, nil, err)
			pause = sleep(ctx, pause)
		}
	}
}

// takes is how many items are taken at a time.
func (p *Pipeline) takes() int {
	per := p.opts.Batch.MaxItems
	if per <= 0 {
		per = 100
	}
	return per * max(1, p.opts.Batch.Concurrency)
}

// consume deals with items of several channels side by side, and waits for all.
func (p *Pipeline) consume(ctx context.Context, items []Item) {
	byKey := make(map[string][]Item)
	for _, item := range items {
		byKey[item.Key] = append(byKey[item.Key], item)
	}
	turns := make(chan struct{}, max(1, p.opts.Batch.Concurrency))
	var all sync.WaitGroup
	for key, items := range byKey {
		turns <- struct{}{}
		all.Go(func() {
			defer func() { <-turns }()
			p.keep(ctx, key, items)
		})
	}
	all.Wait()
}

// keep deals with items of one channel: at its end, or when ctx ends, each is acknowledged,
// buried, or will be taken again.
func (p *Pipeline) keep(ctx context.Context, channel string, items []Item) {
	batch := make([]*pending, 0, len(items))
	asked := make([]Message, 0, len(items))
	sources := make([]Item, 0, len(items))
	for _, item := range items {
		m, err := unqueue(item)
		if err != nil {
			p.bury(ctx, item, Message{Channel: item.Key}, err)
			continue
		}
		batch = append(batch, &pending{m: m, epoch: item.Epoch})
		sources, asked = append(sources, item), append(asked, m)
	}
	if len(batch) == 0 {
		return
	}
	for pause := firstPause; ; pause = sleep(ctx, pause) {
		try, cancel := context.WithTimeout(ctx, p.opts.Batch.Timeout)
		err := p.guard(func() error { return p.flush(try, channel, batch) })
		cancel()
		if err == nil {
			break
		}
		if ctx.Err() != nil {
			p.channels.forget(channel)
			return
		}
		p.opts.OnError(StageStore, messages(batch), err)
	}
	done := sources[:0:0]
	for i, it := range batch {
		p.waiting.tell(asked[i], outcome{it.m, it.err})
		if it.err != nil {
			p.bury(ctx, sources[i], it.m, it.err)
			continue
		}
		done = append(done, sources[i])
	}
	if err := p.opts.Queue.Ack(ctx, done...); err != nil { // they come again, and are known by their nonces
		p.opts.OnError(StageQueue, nil, err)
	}
}

func (p *Pipeline) bury(ctx context.Context, item Item, m Message, why error) {
	p.opts.OnError(StageStore, []Message{m}, why)
	if err := p.opts.Queue.Bury(ctx, why.Error(), item); err != nil {
		p.opts.OnError(StageQueue, []Message{m}, err)
	}
}

// sleep waits and returns how long the next wait is.
func sleep(ctx context.Context, d time.Duration) time.Duration {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
	return min(2*d, lastPause)
}
