package nats

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Take is of message.Queue. When the server cannot be reached it returns the error.
func (q *Queue) Take(ctx context.Context, most int) ([]message.Item, error) {
	if err := q.begin(ctx); err != nil {
		return nil, wrap("take", err)
	}
	defer q.end()
	for {
		chosen, failed := q.choose(max(1, most))
		if failed != nil {
			return nil, wrap("take", failed)
		}
		if len(chosen) > 0 {
			if items, err := q.give(ctx, chosen); len(items) > 0 || err != nil {
				return items, wrap("take", err)
			}
			continue // they are somebody else's
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
	}
	if !q.active() {
		note(q.kick)
	}
	q.taking = true
	return nil
}

func (q *Queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.taking, q.lastTake = false, time.Now()
}

// active reports whether somebody takes. mu is held.
func (q *Queue) active() bool { return q.taking || time.Since(q.lastTake) < q.opts.Lease }

// portion is what is taken of one partition.
type portion struct {
	of      *partition
	entries []*entry
	tries   tries
	err     error
}

// choose takes what is here, of all partitions that have something, in turn and about equally much. If
// that is nothing, it returns the error of keep, once.
func (q *Queue) choose(most int) (chosen []*portion, failed error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	var have []*partition
	for i := range q.partitions {
		if p := q.held[(q.turn+i)%q.partitions]; p != nil && !p.leaving && len(p.ahead) > 0 {
			have = append(have, p)
		}
	}
	if len(have) == 0 {
		failed, q.failed = q.failed, nil
		return nil, failed
	}
	q.turn = (have[0].number + 1) % q.partitions
	for i, p := range have {
		n := (most + len(have) - i - 1) / (len(have) - i)
		if taken := p.take(n); len(taken) > 0 {
			chosen = append(chosen, &portion{of: p, entries: taken})
			most -= len(taken)
		}
	}
	return chosen, nil
}

// give returns what was chosen, as far as it is this taker's; if there is an error instead, it has been
// given back.
func (q *Queue) give(ctx context.Context, chosen []*portion) (items []message.Item, err error) {
	_ = each(chosen, func(c *portion) error { // each has its error
		c.err = q.call(ctx, func(ctx context.Context) (err error) {
			c.tries, err = q.remember(ctx, c.of, c.entries)
			return err
		})
		if errors.Is(c.err, errLost) {
			q.lose(c.of)
		}
		return nil
	})
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, c := range chosen {
		p := c.of
		switch {
		case p.lost:
		case c.err != nil:
			p.untake(c.entries)
			err = c.err
		default:
			p.given = max(p.given, c.entries[len(c.entries)-1].seq)
			for _, e := range c.entries {
				it := e.item
				it.Tries, it.Epoch, it.Receipt = c.tries.of(e.seq)+1, p.epoch, e
				items = append(items, it)
			}
		}
	}
	if len(items) > 0 {
		return items, nil
	}
	return nil, err
}
