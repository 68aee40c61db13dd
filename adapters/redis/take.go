package redis

import (
	"context"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// mostRead is how much is read of a partition at a time: Lua cannot pass more than some thousand
// arguments.
const mostRead = 1000

// Take is of message.Queue. When Redis cannot be reached it returns the error.
func (q *Queue) Take(ctx context.Context, most int) ([]message.Item, error) {
	if err := q.begin(ctx); err != nil {
		return nil, wrap("take", err)
	}
	defer q.end()
	for {
		items, looked, err := q.read(ctx, max(1, most))
		if len(items) > 0 || err != nil {
			return items, wrap("take", err)
		}
		if looked { // there may be more partitions than were asked for
			continue
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, wrap("take", ctx.Err())
		case <-q.ctx.Done():
			return nil, message.ErrClosed
		}
	}
}

// begin has this Queue be a taker.
func (q *Queue) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return message.ErrClosed
	}
	if !q.keeping {
		q.keeping = true
		q.running.Go(q.keep)
		q.running.Go(q.listen)
	}
	if !q.active() {
		note(q.kick)
	}
	q.taking, q.failed = true, nil // what failed before says nothing of now
	return nil
}

func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taking, q.lastTake = false, time.Now()
}

// active reports whether somebody takes. mu is held.
func (q *Queue) active() bool { return q.taking || time.Since(q.lastTake) < q.lease }

// note leaves a note in a channel for one, unless there is one already.
func note(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// reading is a read of one partition.
type reading struct {
	of   *partition
	most int
}

// read returns what is there in some of the partitions that may have something, in turn, and whether
// there was such a one.
func (q *Queue) read(ctx context.Context, most int) (items []message.Item, looked bool, err error) {
	readings, failed := q.choose(most)
	if len(readings) == 0 {
		return nil, false, failed
	}
	calls := make([]call, len(readings))
	for i, r := range readings {
		p := r.of
		calls[i] = readScript.call([]string{q.of(p.partition, "lease"), q.of(p.partition, "items"), q.of(p.partition, "idle")}, q.taker, p.epoch, p.after, r.most)
	}
	err = q.do(ctx, calls) // it may have been done all the same: then the next one asks the same again
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, r := range readings {
		items = q.got(r.of, calls[i], items)
	}
	if len(items) > 0 {
		err = nil
	}
	return items, true, err
}

// choose says what is read next, at most so many items in all. If it is nothing, it returns the error
// that keep had meanwhile, once.
func (q *Queue) choose(most int) (readings []reading, failed error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i := range q.partitions {
		p := q.held[(q.turn+i)%q.partitions]
		if p == nil || !p.ready || p.reading || p.leaving {
			continue
		}
		p.ready, p.reading = false, true
		if readings = append(readings, reading{of: p}); len(readings) == most {
			break
		}
	}
	if len(readings) == 0 {
		failed, q.failed = q.failed, nil
		return nil, failed
	}
	q.turn = (readings[0].of.partition + 1) % q.partitions
	for i := range readings {
		readings[i].most = min(quota(most, i, len(readings)), mostRead)
	}
	return readings, nil
}

// got adds to items what was read of a partition. mu is held.
func (q *Queue) got(p *partition, c call, items []message.Item) []message.Item {
	p.reading = false
	if q.held[p.partition] != p {
		return items // the lease was lost meanwhile: who has it now reads the same again
	}
	if c.Err() != nil {
		p.ready = true
		return items
	}
	reply, _ := c.Val().([]any)
	if len(reply) == 0 {
		delete(q.held, p.partition)
		note(q.kick)
		return items
	}
	p.ready = reply[0] == int64(1)
	for _, entry := range reply[1:] {
		it, id, err := parse(entry)
		if id != "" {
			p.after = id
		}
		if err != nil { // somebody else wrote it, and it stays where it is
			continue
		}
		it.Epoch, it.Receipt = p.epoch, receipt{p.lease, id}
		p.out[id] = struct{}{}
		items = append(items, it)
	}
	return items
}

// parse reads an entry as read.lua returns it.
func parse(entry any) (it message.Item, id string, err error) {
	parts, _ := entry.([]any)
	if len(parts) != 3 {
		return it, "", fmt.Errorf("redis: no entry: %v", entry)
	}
	id, _ = parts[0].(string)
	tries, _ := parts[1].(int64)
	fields, _ := parts[2].([]any)
	it, there := item(fields)
	if id == "" || !there {
		return it, id, fmt.Errorf("redis: no item: %v", entry)
	}
	it.Tries = int(tries)
	return it, id, nil
}

// item reads the fields of an entry; there is none without a key.
func item(fields []any) (it message.Item, there bool) {
	for i := 0; i+1 < len(fields); i += 2 {
		value, _ := fields[i+1].(string)
		switch fields[i] {
		case "k":
			it.Key, there = value, true
		case "i":
			it.ID = value
		case "d":
			it.Data = []byte(value)
		case "w":
			it.Why = value
		}
	}
	return it, there
}
