package batch

import (
	"context"
	"fmt"
	"time"
)

// Close refuses further items, flushes what is held, retries included, and waits until it is done. It returns nil
// if every item has been flushed or, after its retries, given to OnError.
//
// It returns within ctx, if OnError does. When ctx ends first, the contexts of running flushes end and everything that
// waits has gone to OnError when Close returns, in order per key, with an error that wraps ErrClosed and the error of ctx; Close then returns an error that
// wraps that of ctx, too. So that flushes have the time to notice, this happens a little before a deadline:
// by a tenth of the time left when Close was called, and at most 100 ms. Only items of a flush that
// ignores its context are still held after Close has returned; they end when it returns, OnError included.
//
// Calls of Add that wait get ErrClosed at once. Close may be called more than once and by several goroutines:
// each waits for the same end, and the first ctx that is over brings it about.
func (k *Keyed[K, T]) Close(ctx context.Context) error {
	k.shut()
	early, cancel := beforeDeadline(ctx)
	defer cancel()
	select {
	case <-k.drained:
		return k.outcome()
	case <-early.Done():
	}
	k.abort(early.Err())
	select {
	case <-k.drained:
	case <-ctx.Done():
	}
	return k.outcome()
}

// beforeDeadline gives a context that ends a little before ctx.
func beforeDeadline(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return ctx, func() {}
	}
	grace := min(time.Until(deadline)/10, 100*time.Millisecond)
	return context.WithDeadline(ctx, deadline.Add(-grace))
}

// outcome is what Close returns.
func (k *Keyed[K, T]) outcome() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.aborted
}

// shut closes the door and sends everything that rests on its way, but for what waits for a retry.
func (k *Keyed[K, T]) shut() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return
	}
	k.closed = true
	k.dismiss(ErrClosed)
	for _, q := range k.queues {
		if q.state == resting && q.taken.count == 0 {
			k.settle(q)
		}
	}
	k.checkDrained()
}

// abort gives up flushing: what waits goes to OnError from this goroutine, so that it got there when Close returns, even
// if all workers are stuck.
func (k *Keyed[K, T]) abort(why error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.aborted == nil && !k.isDrained() {
		k.aborted = fmt.Errorf("%w before all was flushed: %w", ErrClosed, why)
		k.cancel()
		for _, q := range k.queues {
			k.expel(q)
		}
	}
	for q := k.ready.pop(); q != nil; q = k.ready.pop() {
		for q.chain.count > 0 {
			k.choose(q)
			k.giveUp(q, k.tooLate(q))
		}
		k.forget(q)
	}
	k.checkDrained()
}

// tooLate is the error of a batch for which there is no time. k.mu is held.
func (k *Keyed[K, T]) tooLate(q *queue[K]) error {
	if q.err == nil {
		return k.aborted
	}
	return fmt.Errorf("%w; its last try: %w", k.aborted, q.err)
}

// expel makes all that waits in q ready; what waits behind a running flush goes on in a queue of its own. k.mu is held.
func (k *Keyed[K, T]) expel(q *queue[K]) {
	switch {
	case q.state == resting:
		k.makeReady(q)
	case q.state == flushing && q.waiting() > 0:
		k.makeReady(&queue[K]{key: q.key, chain: k.items.cut(&q.chain, q.taken)})
	}
}

// isDrained says that Close has nothing left to wait for. k.mu is held.
func (k *Keyed[K, T]) isDrained() bool {
	return k.closed && k.items.held == 0 && k.running == 0
}

// checkDrained lets Close return when nothing is held and nobody works. k.mu is held.
func (k *Keyed[K, T]) checkDrained() {
	if !k.isDrained() {
		return
	}
	select {
	case <-k.drained:
		return
	default:
	}
	close(k.drained)
	k.cancel()
	if k.timer != nil {
		k.timer.Stop()
	}
}
