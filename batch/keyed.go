package batch

import (
	"context"
	"math"
	"sync"
	"time"
)

// Keyed turns single items into batches per key: one flush at a time for a key, several keys side by side. Make it
// with NewKeyed; it is safe for concurrent use.
//
// A key's queue is in one of three states. Resting: it waits for more items, for its delay or for its retry, with
// an alarm that ends this. Ready: its turn comes when a flush is free. Flushing: a worker has it. A queue without
// items is forgotten.
//
// Workers are goroutines that live while there are ready queues, at most Concurrency of them; Close waits for them.
// flush, Size and OnError are never called with mu held.
type Keyed[K comparable, T any] struct {
	// Static after construction.
	flush   func(ctx context.Context, key K, items []T) error
	hooks   KeyedHooks[K, T]
	o       Options
	start   time.Time // zero of the clock of closes and alarms
	ctx     context.Context
	cancel  context.CancelFunc
	drained chan struct{} // closed when Close has nothing left to wait for
	worker  func()        // k.work, bound once: a go statement on it allocates nothing
	rested  sync.Pool     // of *waiter, for reuse

	mu sync.Mutex

	// Guarded by mu.
	queues  map[K]*queue[K]
	latest  *queue[K] // that of the latest push, if it is remembered: often the next one's, too
	items   arena[T]
	ready   fifo[K]
	alarms  alarms[K]
	timer   *time.Timer // for the earliest alarm
	rings   time.Duration
	waiters waiters[K, T] // calls of Add; not empty only while MaxPending items are held
	running int           // workers
	spare   [][]T         // slices for flush, at most one per worker
	idle    *queue[K]     // forgotten queues for reuse, linked by next
	idles   int
	closed  bool
	aborted error // why Close gave up: nothing is flushed any more
	stats   Stats
}

// maxIdle is how many forgotten queues are kept for reuse (about 150 bytes each).
const maxIdle = 64

// NewKeyed makes a batcher that hands the batches of each key to flush. At most one set of hooks may be given. It
// panics if flush is nil, or if MaxBytes has no Size hook.
//
// The slice belongs to the batcher and is used again: flush may do with it what it likes, but must not keep it
// after it has returned. A retry gets the items as they were added. The context carries no values; it ends after
// Options.Timeout, and when the context of Close does. A flush that must not be cut short ignores it and makes
// Close return without it.
//
// From flush and OnError, TryAdd is safe and Add may wait for itself: use TryAdd there. Close must not be called
// from them.
func NewKeyed[K comparable, T any](flush func(ctx context.Context, key K, items []T) error, o Options, hooks ...KeyedHooks[K, T]) *Keyed[K, T] {
	if flush == nil {
		panic("batch: nil flush")
	}
	k := &Keyed[K, T]{
		flush:   flush,
		hooks:   given(hooks, o),
		o:       o.withDefaults(),
		start:   time.Now(),
		drained: make(chan struct{}),
		queues:  make(map[K]*queue[K]),
		rings:   never,
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.worker = k.work
	return k
}

// Add queues an item and, while MaxPending items are held, waits for room, in the order of the calls. Nil means that
// the item was added, any other error that it was not: ErrClosed, or the error of ctx. A ctx that is over adds nothing.
// ctx ends the waiting only: flush does not see it.
func (k *Keyed[K, T]) Add(ctx context.Context, key K, item T) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	size := k.size(item)
	err := k.put(key, item, size)
	if err != ErrFull {
		return err
	}
	return k.wait(ctx, key, item, size)
}

// TryAdd queues an item without waiting. It returns ErrClosed after Close was called, else ErrFull while MaxPending
// items are held.
func (k *Keyed[K, T]) TryAdd(key K, item T) error {
	return k.put(key, item, k.size(item))
}

func (k *Keyed[K, T]) size(item T) int {
	if k.o.MaxBytes == math.MaxInt {
		return 0
	}
	return max(0, k.hooks.Size(item))
}

func (k *Keyed[K, T]) put(key K, item T, size int) error {
	k.mu.Lock()
	defer k.mu.Unlock() // an unhashable key panics below
	if err := k.refusal(); err != nil {
		return err
	}
	k.push(key, item, size)
	return nil
}

// refusal says why nothing can be added now. k.mu is held.
func (k *Keyed[K, T]) refusal() error {
	switch {
	case k.closed:
		return ErrClosed
	case k.items.held >= k.o.MaxPending:
		return ErrFull
	}
	return nil
}

// push appends an item to its key's queue. k.mu is held.
func (k *Keyed[K, T]) push(key K, item T, size int) {
	q := k.latest
	if q == nil || q.key != key {
		if q = k.queues[key]; q == nil {
			q = k.remember(key)
		}
		k.latest = q
	}
	first := q.waiting() == 0
	if first && !k.o.Leading && k.o.MaxDelay > 0 {
		q.closes = k.now() + k.o.MaxDelay
	}
	k.items.push(&q.chain, item, size)
	if q.state != resting || q.taken.count > 0 {
		return // settle looks at it when the flush or the retry is over
	}
	if first || k.full(q) {
		k.settle(q)
	}
}

// settle gives a queue that is resting or has just been flushed its next state. k.mu is held.
func (k *Keyed[K, T]) settle(q *queue[K]) {
	switch waiting := q.waiting(); {
	case waiting > 0 && (k.closed || k.full(q) || k.due(q)):
		k.makeReady(q)
	case waiting > 0, k.o.Leading && !k.closed && !k.due(q):
		k.rest(q, q.closes)
	default:
		k.forget(q)
	}
}

// full says that a queue has a whole batch waiting. k.mu is held.
func (k *Keyed[K, T]) full(q *queue[K]) bool {
	return q.waiting() >= k.o.MaxItems || q.chain.bytes-q.taken.bytes >= k.o.MaxBytes
}

// due says that a queue's window has closed. k.mu is held.
func (k *Keyed[K, T]) due(q *queue[K]) bool {
	return q.closes == 0 || q.closes <= k.now()
}

func (k *Keyed[K, T]) now() time.Duration { return time.Since(k.start) }

// remember makes the queue of a key that has none. k.mu is held.
func (k *Keyed[K, T]) remember(key K) *queue[K] {
	q := k.idle
	if q == nil {
		q = new(queue[K])
	} else {
		k.idle, q.next = q.next, nil
		k.idles--
	}
	q.key = key
	k.queues[key] = q
	return q
}

// forget drops a queue without items. k.mu is held.
func (k *Keyed[K, T]) forget(q *queue[K]) {
	k.alarms.remove(q)
	if k.queues[q.key] == q {
		delete(k.queues, q.key)
	}
	if k.latest == q {
		k.latest = nil
	}
	*q = queue[K]{}
	if k.idles < maxIdle {
		q.next, k.idle = k.idle, q
		k.idles++
	}
}
