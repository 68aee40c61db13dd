package batch

import "context"

// waiter is a call of Add that waits for room. Who makes room pushes its item in its place and answers, so that
// nobody can overtake it and room is never promised but unused.
type waiter[K comparable, T any] struct {
	key        K
	item       T
	size       int
	answer     chan error // buffered
	prev, next *waiter[K, T]
}

// waiters is a list, the longest waiting first.
type waiters[K comparable, T any] struct {
	first, last *waiter[K, T]
	count       int
}

// wait adds an item as soon as there is room.
func (k *Keyed[K, T]) wait(ctx context.Context, key K, item T, size int) error {
	w, ok := k.rested.Get().(*waiter[K, T])
	if !ok {
		w = &waiter[K, T]{answer: make(chan error, 1)}
	}
	w.key, w.item, w.size = key, item, size
	err := k.stand(ctx, w)
	*w = waiter[K, T]{answer: w.answer}
	k.rested.Put(w)
	return err
}

// stand sees w through its waiting.
func (k *Keyed[K, T]) stand(ctx context.Context, w *waiter[K, T]) error {
	if waits, err := k.queueUp(w); !waits {
		return err
	}
	select {
	case err := <-w.answer:
		return err
	case <-ctx.Done():
	}
	k.mu.Lock()
	gone := k.waiters.remove(w)
	k.mu.Unlock()
	if !gone {
		return <-w.answer // it came first
	}
	return ctx.Err()
}

// queueUp adds the item now if there is room by now, and else lets w wait.
func (k *Keyed[K, T]) queueUp(w *waiter[K, T]) (waits bool, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	err = k.refusal()
	switch err {
	case nil:
		k.push(w.key, w.item, w.size)
	case ErrFull:
		_ = k.queues[w.key] // an unhashable key panics here, in its caller, and not later in a worker
		k.waiters.push(w)
		return true, nil
	}
	return false, err
}

// admit lets calls of Add in while there is room. k.mu is held.
func (k *Keyed[K, T]) admit() {
	for k.waiters.count > 0 && k.items.held < k.o.MaxPending {
		w := k.waiters.first
		k.waiters.remove(w)
		k.push(w.key, w.item, w.size)
		w.answer <- nil
	}
}

// dismiss ends all waiting with err. k.mu is held.
func (k *Keyed[K, T]) dismiss(err error) {
	for k.waiters.count > 0 {
		w := k.waiters.first
		k.waiters.remove(w)
		w.answer <- err
	}
}

func (l *waiters[K, T]) push(w *waiter[K, T]) {
	w.prev = l.last
	if l.first == nil {
		l.first = w
	} else {
		l.last.next = w
	}
	l.last = w
	l.count++
}

// remove takes w out and says whether it was there.
func (l *waiters[K, T]) remove(w *waiter[K, T]) bool {
	if w.prev == nil && l.first != w {
		return false
	}
	if w.prev == nil {
		l.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		l.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	l.count--
	return true
}
