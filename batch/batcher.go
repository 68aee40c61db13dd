package batch

import "context"

// Batcher turns single items into batches: one queue, one flush at a time. Make it with New; it is safe for
// concurrent use. It is a Keyed with a single key.
type Batcher[T any] struct {
	keyed *Keyed[struct{}, T]
}

// New makes a batcher that hands its batches to flush; see NewKeyed for what flush may do. At most one set of
// hooks may be given. It panics if flush is nil, or if MaxBytes has no Size hook.
func New[T any](flush func(ctx context.Context, items []T) error, o Options, hooks ...Hooks[T]) *Batcher[T] {
	if flush == nil {
		panic("batch: nil flush")
	}
	keyed := make([]KeyedHooks[struct{}, T], len(hooks))
	for i, h := range hooks {
		keyed[i].Size = h.Size
		if onError := h.OnError; onError != nil {
			keyed[i].OnError = func(_ struct{}, items []T, err error) { onError(items, err) }
		}
	}
	o.Concurrency = 1
	return &Batcher[T]{NewKeyed(func(ctx context.Context, _ struct{}, items []T) error {
		return flush(ctx, items)
	}, o, keyed...)}
}

// Add queues an item; see Keyed.Add.
func (b *Batcher[T]) Add(ctx context.Context, item T) error {
	return b.keyed.Add(ctx, struct{}{}, item)
}

// TryAdd queues an item without waiting; see Keyed.TryAdd.
func (b *Batcher[T]) TryAdd(item T) error {
	return b.keyed.TryAdd(struct{}{}, item)
}

// Close flushes what is queued and ends the batcher; see Keyed.Close.
func (b *Batcher[T]) Close(ctx context.Context) error { return b.keyed.Close(ctx) }

// Stats counts in constant time.
func (b *Batcher[T]) Stats() Stats { return b.keyed.Stats() }
