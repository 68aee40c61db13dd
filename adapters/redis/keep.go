package redis

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"
)

// keep is the goroutine that renews what this taker holds, takes its share of the partitions, and
// gives up what is beyond it. NewQueue's first Take starts it, Close ends it.
func (q *Queue) keep() {
	every := q.lease / 4
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		ctx, cancel := context.WithTimeout(q.ctx, 2*every)
		err := q.tend(ctx)
		cancel()
		if q.ctx.Err() != nil {
			return
		}
		q.mu.Lock()
		q.failed = err
		q.mu.Unlock()
		if err != nil {
			note(q.wake)
		}
		select {
		case <-tick.C:
		case <-q.kick:
		case <-q.ctx.Done():
			return
		}
	}
}

// tend is one round of keep.
func (q *Queue) tend(ctx context.Context) error {
	share, err := q.share(ctx)
	if err != nil {
		return err
	}
	if err := q.renew(ctx, share); err != nil {
		return err
	}
	if err := q.sayAgain(ctx); err != nil {
		return err
	}
	return q.giveUp(ctx, share)
}

// sayAgain says what could not be said.
func (q *Queue) sayAgain(ctx context.Context) error {
	q.mu.Lock()
	unsaid := q.unsaid
	q.unsaid = nil
	q.mu.Unlock()
	return q.say(ctx, unsaid)
}

// share says how many partitions are this taker's: none when nobody takes.
func (q *Queue) share(ctx context.Context) (int, error) {
	q.mu.Lock()
	active := q.active()
	q.mu.Unlock()
	if !active && !q.joined {
		return 0, nil
	}
	keys := []string{q.shared("takers")}
	if !active {
		if err := q.do(ctx, []call{leaveScript.call(keys, q.taker)}); err != nil {
			return 0, err
		}
		q.joined = false
		return 0, nil
	}
	q.joined = true // perhaps
	calls := []call{joinScript.call(keys, q.taker, q.lease.Milliseconds(), q.channel())}
	if err := q.do(ctx, calls); err != nil {
		return 0, err
	}
	place, err := calls[0].Int64Slice()
	if err != nil || len(place) != 2 || place[1] < 1 {
		return 0, err
	}
	return quota(q.partitions, int(place[0]), int(place[1])), nil
}

// renew renews the leases of this taker, and takes some that are free if it has fewer than its
// share.
func (q *Queue) renew(ctx context.Context, share int) error {
	q.mu.Lock()
	missing := share - len(q.held)
	var ask []lease
	for n := range q.partitions {
		switch p := q.held[n]; {
		case p != nil:
			ask = append(ask, p.lease)
		case missing > 0:
			ask = append(ask, lease{partition: n})
		}
	}
	q.mu.Unlock()
	free, err := q.hold(ctx, ask, false)
	if err != nil || missing <= 0 || len(free) == 0 {
		return err
	}
	rand.Shuffle(len(free), func(i, k int) { free[i], free[k] = free[k], free[i] }) // others look too
	free = free[:min(missing, len(free))]
	lost, err := q.hold(ctx, free, true)
	if len(lost) > 0 {
		note(q.kick) // somebody was faster
	}
	return err
}

// hold asks for leases, under the epochs that are known, and notes which partitions are this
// taker's. It returns those that are free, with their epochs.
func (q *Queue) hold(ctx context.Context, ask []lease, take bool) (free []lease, err error) {
	if len(ask) == 0 {
		return nil, nil
	}
	calls := make([]call, len(ask))
	for i, l := range ask {
		calls[i] = holdScript.call([]string{q.of(l.partition, "lease"), q.of(l.partition, "items")}, q.taker, q.lease.Milliseconds(), l.epoch, take)
	}
	err = q.do(ctx, calls)
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, l := range ask {
		reply, e := calls[i].Int64Slice()
		if e != nil || len(reply) != 2 {
			continue // whether it is ours is seen by who uses it
		}
		now := lease{l.partition, uint64(reply[1])}
		switch p := q.held[l.partition]; {
		case reply[0] == 1 && (p == nil || p.lease != now):
			q.held[l.partition] = newPartition(now)
		case reply[0] == 1:
			p.ready = true // should nobody have said so
		default:
			delete(q.held, l.partition)
			if reply[0] == 0 {
				free = append(free, now)
			}
		}
	}
	note(q.wake)
	return free, err
}

// giveUp releases what is beyond the share and has nothing out, and has the rest of it drain.
func (q *Queue) giveUp(ctx context.Context, share int) error {
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
		return a.partition - b.partition
	})
	var calls []call
	for i, p := range held {
		p.leaving = i >= share
		if p.leaving && p.drained() {
			delete(q.held, p.partition)
			calls = append(calls, q.releaseCall(p))
		}
	}
	q.mu.Unlock()
	note(q.wake) // some may not be leaving any more
	if len(calls) == 0 {
		return nil
	}
	return q.do(ctx, calls)
}

func (q *Queue) releaseCall(p *partition) call {
	return releaseScript.call([]string{q.of(p.partition, "lease")}, q.taker, p.epoch, q.channel())
}
