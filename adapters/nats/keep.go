package nats

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	crand "crypto/rand"

	"github.com/nats-io/nats.go/jetstream"
)

// keep is the goroutine that takes this taker's share of the partitions, and gives up what is beyond
// it. The first Take starts it, Close ends it.
func (q *Queue) keep() {
	sub, err := q.conn.Subscribe(q.crewSubject(), q.heard)
	if err != nil {
		q.fail(err)
		return
	}
	defer func() { _ = sub.Unsubscribe() }() // it fails when the connection is gone
	tick := time.NewTicker(q.opts.beat())
	defer tick.Stop()
	for {
		err := q.tend()
		if q.ctx.Err() != nil {
			return
		}
		q.fail(err)
		select {
		case <-tick.C:
		case <-q.kick:
		case <-q.ctx.Done():
			return
		}
	}
}

// fail has the next Take that finds nothing return an error.
func (q *Queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.failed = err
	if err != nil {
		note(q.wake)
	}
}

// tend is one round of keep.
func (q *Queue) tend() error {
	if err := q.greet(); err != nil {
		return err
	}
	taken, err := q.consumers()
	if err != nil {
		return err
	}
	q.mu.Lock()
	var gone []*partition
	for _, p := range q.held {
		if taken[p.number] != p.consumer {
			gone = append(gone, p)
		}
	}
	q.mu.Unlock()
	for _, p := range gone {
		q.lose(p)
	}
	share := q.share(time.Now())
	return errors.Join(q.acquire(share, taken), q.giveUp(share))
}

// greet tells the others whether this taker takes.
func (q *Queue) greet() error {
	q.mu.Lock()
	active, said := q.active(), q.crew.said
	q.crew.said = active
	q.mu.Unlock()
	switch {
	case active:
		return q.say(hello)
	case said:
		return q.say(bye)
	}
	return nil
}

// consumers asks the server who has which partition.
func (q *Queue) consumers() (map[int]string, error) {
	taken := make(map[int]string)
	err := q.call(q.ctx, func(ctx context.Context) error {
		names := q.items.ConsumerNames(ctx)
		for name := range names.Name() {
			taken[partitionOfConsumer(name)] = name
		}
		return names.Err()
	})
	return taken, err
}

// acquire takes partitions that nobody has, if this taker has fewer than its share.
func (q *Queue) acquire(share int, taken map[int]string) error {
	q.mu.Lock()
	missing := share - len(q.held)
	q.mu.Unlock()
	var free []int
	for n := range q.partitions {
		if taken[n] == "" {
			free = append(free, n)
		}
	}
	if missing <= 0 || len(free) == 0 {
		return nil
	}
	rand.Shuffle(len(free), func(i, k int) { free[i], free[k] = free[k], free[i] }) // others look too
	return each(free[:min(missing, len(free))], q.hold)
}

// hold takes a partition: it makes the consumer that has its subject, of which a work queue has one. So
// it is the server that says who has a partition. When it does not hear of a taker it deletes the
// consumer, and an acknowledgement that comes late is to nobody. A taker begins with a new consumer, and
// so with the first item that is not acknowledged.
func (q *Queue) hold(n int) error {
	name := consumerName(n, crand.Text())
	err := q.call(q.ctx, func(ctx context.Context) error {
		_, err := q.js.CreateConsumer(ctx, q.itemsName(), jetstream.ConsumerConfig{
			Durable:           name,
			FilterSubject:     q.subject("item", n),
			AckPolicy:         jetstream.AckExplicitPolicy,
			AckWait:           q.opts.ackWait(),
			InactiveThreshold: q.opts.inactive(),
			MaxAckPending:     -1,
		})
		return err
	})
	if code(err) == codeNotUnique {
		note(q.kick) // somebody was faster
		return nil
	}
	if err != nil { // if it was made all the same, the server deletes it when nobody uses it
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return nil
	}
	p := newPartition(q.ctx, n, name, rand.Uint64(), budgetOf(q.conn))
	q.held[n] = p
	q.running.Go(func() { q.pull(p) })
	return nil
}

// giveUp releases what is beyond the share and has nothing out, and has the rest of it drain.
func (q *Queue) giveUp(share int) error {
	q.mu.Lock()
	held := make([]*partition, 0, len(q.held))
	for _, p := range q.held {
		held = append(held, p)
	}
	slices.SortFunc(held, func(a, b *partition) int { // those that can go, go last
		if a.drained() != b.drained() {
			if b.drained() {
				return -1
			}
			return 1
		}
		return a.number - b.number
	})
	var free []*partition
	for i, p := range held {
		p.leaving = i >= share
		if p.leaving && p.drained() {
			delete(q.held, p.number)
			p.lost = true
			p.stop()
			free = append(free, p)
		}
	}
	q.mu.Unlock()
	note(q.wake) // some may not be leaving any more
	if len(free) == 0 {
		return nil
	}
	err := q.call(q.ctx, func(ctx context.Context) error {
		return each(free, func(p *partition) error { return q.release(ctx, p) })
	})
	return errors.Join(err, q.say(look))
}

// release has a partition be anybody's.
func (q *Queue) release(ctx context.Context, p *partition) error {
	q.correct(ctx, p)
	err := q.js.DeleteConsumer(ctx, q.itemsName(), p.consumer)
	if errors.Is(err, jetstream.ErrConsumerNotFound) {
		return nil
	}
	return err
}
