package batch

import (
	"context"
	"math/rand/v2"
	"runtime/debug"
	"time"
)

// makeReady puts a queue in line for a worker, and starts one if there may be more. k.mu is held.
func (k *Keyed[K, T]) makeReady(q *queue[K]) {
	k.alarms.remove(q)
	q.state = ready
	k.ready.push(q)
	k.hire()
}

// hire starts a worker if one is wanted; once Close has given up, what is ready is its own to hand over. k.mu is held.
func (k *Keyed[K, T]) hire() {
	if k.running < k.o.Concurrency && k.ready.first != nil && k.aborted == nil {
		k.running++
		go k.worker()
	}
}

// work flushes ready queues until there are none.
func (k *Keyed[K, T]) work() {
	defer k.leave()
	for {
		b := k.take()
		if b.queue == nil {
			return
		}
		k.run(b)
	}
}

// leave ends a worker. A queue that became ready since its last look, or a flush that ended the goroutine, calls for
// another one.
func (k *Keyed[K, T]) leave() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.running--
	k.hire()
	k.checkDrained()
}

// batch is what a worker has in hand.
type batch[K comparable, T any] struct {
	queue *queue[K]
	key   K
	items []T
}

// take claims the next ready queue and copies its batch out: the items stay in the arena until they have ended, so
// that a retry has them as they were.
func (k *Keyed[K, T]) take() batch[K, T] {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.ready.first == nil || k.aborted != nil {
		return batch[K, T]{}
	}
	q := k.ready.pop()
	q.state = flushing
	k.choose(q)
	if q.tries == 0 && k.o.Leading && k.o.MaxDelay > 0 && q.waiting() == 0 {
		q.closes = k.now() + k.o.MaxDelay
	}
	var items []T
	if last := len(k.spare) - 1; last >= 0 {
		items, k.spare = k.spare[last], k.spare[:last]
	}
	return batch[K, T]{q, q.key, k.items.copy(items, &q.chain, q.taken.count)}
}

// choose makes a batch of q's first items, unless it has one to retry. k.mu is held.
func (k *Keyed[K, T]) choose(q *queue[K]) {
	if q.taken.count == 0 {
		q.taken = k.items.measure(&q.chain, k.o.MaxItems, k.o.MaxBytes)
	}
}

// run tries a batch once and sees it to its next state, however flush ends.
func (k *Keyed[K, T]) run(b batch[K, T]) {
	err := errExited
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		k.finish(b, err)
	}()
	err = k.try(b)
}

func (k *Keyed[K, T]) try(b batch[K, T]) error {
	ctx := k.ctx
	if k.o.Timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, k.o.Timeout)
		defer cancel()
	}
	return k.flush(ctx, b.key, b.items)
}

// finish ends a try: with its items processed, given up, or put aside for the next try.
func (k *Keyed[K, T]) finish(b batch[K, T], err error) {
	clear(b.items) // hold on to nothing
	k.mu.Lock()
	defer k.mu.Unlock()
	q := b.queue
	k.spare = append(k.spare, b.items[:0])
	k.stats.count(q.taken.count, q.tries)
	q.tries++
	switch {
	case err == nil:
		k.stats.Processed += uint64(q.taken.count)
		k.release(q)
	case q.tries > k.o.Retries || k.aborted != nil:
		k.giveUp(q, err)
	default:
		q.err = err
		k.retry(q)
		return
	}
	k.admit()
	k.settle(q)
}

// release lets go of a batch that has ended. k.mu is held.
func (k *Keyed[K, T]) release(q *queue[K]) {
	k.items.drop(&q.chain, q.taken)
	q.taken, q.tries, q.err = extent{}, 0, nil
}

// retry lets q rest for its backoff. k.mu is held.
func (k *Keyed[K, T]) retry(q *queue[K]) {
	wait := backoff(k.o.Backoff, k.o.MaxBackoff, q.tries)
	if wait <= 0 {
		k.makeReady(q)
		return
	}
	k.rest(q, k.now()+wait)
}

// backoff is the wait before retry n, counted from 1: first, doubled n-1 times, at most most, of which a random part
// of up to a half is taken off so that those who failed together do not come back together.
func backoff(first, most time.Duration, n int) time.Duration {
	wait := min(first, most)
	for ; n > 1 && wait < most; n-- {
		if wait > most/2 {
			wait = most
		} else {
			wait *= 2
		}
	}
	if wait < 2 {
		return wait
	}
	return wait - rand.N(wait/2+1)
}

// giveUp hands a batch to OnError, in a slice of its own and without the lock. k.mu is held before and after.
func (k *Keyed[K, T]) giveUp(q *queue[K], err error) {
	n, key := q.taken.count, q.key
	items := k.items.copy(make([]T, 0, n), &q.chain, n)
	k.mu.Unlock()
	defer func() {
		k.mu.Lock()
		k.stats.Failed += uint64(n)
		k.release(q)
	}()
	k.hooks.OnError(key, items, err)
}
