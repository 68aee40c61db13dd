package message

import (
	"context"
	"slices"
	"sync"
)

// MemoryQueue is one taker of a Queue of this process: for tests, and for what need not last.
// Make the first one with [NewMemoryQueue] and further ones of the same items with Another.
type MemoryQueue struct {
	*memoryQueue
	closed bool // guarded by mu
}

type memoryQueue struct {
	mu      sync.Mutex
	changed chan struct{} // closed when something could be taken that could not before
	items   []*memoryItem // as they were put; not those that have been dealt with
	dead    []Item
	keys    map[string]*memoryKey
}

type memoryItem struct {
	Item
	taker *MemoryQueue // nil: nobody has it
	done  bool
}

// memoryKey says who has the items of a key, or had them last.
type memoryKey struct {
	taker *MemoryQueue
	out   int // that the taker has
	epoch uint64
}

// NewMemoryQueue returns a taker of a new and empty queue.
func NewMemoryQueue() *MemoryQueue {
	return &MemoryQueue{memoryQueue: &memoryQueue{changed: make(chan struct{}), keys: make(map[string]*memoryKey)}}
}

// Another returns another taker of the same items.
func (q *MemoryQueue) Another() *MemoryQueue { return &MemoryQueue{memoryQueue: q.memoryQueue} }

// Close gives back what this taker has. Its methods return ErrClosed afterwards.
func (q *MemoryQueue) Close() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	for _, it := range q.items {
		if it.taker == q {
			it.taker = nil
			q.keys[it.Key].out--
		}
	}
	q.wake()
	return nil
}

// wake has takers look again. mu is held.
func (q *memoryQueue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// begin locks mu, unless there is nothing to be done any more.
func (q *MemoryQueue) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		return ErrClosed
	}
	return nil
}

// Put is of [Queue].
func (q *MemoryQueue) Put(ctx context.Context, items ...Item) error {
	if err := q.begin(ctx); err != nil {
		return err
	}
	defer q.mu.Unlock()
	for _, it := range items {
		it.Data = slices.Clone(it.Data)
		q.items = append(q.items, &memoryItem{Item: Item{Key: it.Key, ID: it.ID, Data: it.Data}})
	}
	q.wake()
	return nil
}

// Take is of [Queue].
func (q *MemoryQueue) Take(ctx context.Context, max int) ([]Item, error) {
	for {
		if err := q.begin(ctx); err != nil {
			return nil, err
		}
		taken, changed := q.free(max), q.changed
		q.mu.Unlock()
		if len(taken) > 0 {
			return taken, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// free takes what is there. mu is held.
func (q *MemoryQueue) free(most int) (taken []Item) {
	for _, it := range q.items {
		if len(taken) == most {
			break
		}
		k := q.keys[it.Key]
		if k == nil {
			k = new(memoryKey)
			q.keys[it.Key] = k
		}
		if it.taker != nil || k.out > 0 && k.taker != q {
			continue
		}
		if k.taker != q {
			k.taker = q
			k.epoch++
		}
		k.out++
		it.taker = q
		it.Tries++
		it.Epoch, it.Receipt = k.epoch, it
		taken = append(taken, it.Item)
	}
	return taken
}

// Ack is of [Queue].
func (q *MemoryQueue) Ack(ctx context.Context, items ...Item) error {
	return q.finish(ctx, items, func(Item) {})
}

// Bury is of [Queue].
func (q *MemoryQueue) Bury(ctx context.Context, why string, items ...Item) error {
	return q.finish(ctx, items, func(it Item) {
		it.Why, it.Receipt = why, nil
		q.dead = append(q.dead, it)
	})
}

func (q *MemoryQueue) finish(ctx context.Context, items []Item, each func(Item)) error {
	if err := q.begin(ctx); err != nil {
		return err
	}
	defer q.mu.Unlock()
	for _, item := range items {
		it, ours := item.Receipt.(*memoryItem)
		if !ours || it.taker != q || it.done {
			continue // somebody else has it by now
		}
		it.done = true
		q.keys[it.Key].out--
		each(it.Item)
	}
	q.items = slices.DeleteFunc(q.items, func(it *memoryItem) bool { return it.done })
	q.wake()
	return nil
}

// Dead is of [Queue].
func (q *MemoryQueue) Dead(ctx context.Context, max int) ([]Item, error) {
	if err := q.begin(ctx); err != nil {
		return nil, err
	}
	defer q.mu.Unlock()
	return slices.Clone(q.dead[:min(len(q.dead), max)]), nil
}
