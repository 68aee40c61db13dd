package nats

import (
	"context"
	"sync"
)

// shared has all who ask at once share one question, which is asked after each of them came.
type shared[T any] struct {
	ask func() (T, error) // one at a time
	run func(func())      // starts a goroutine

	mu   sync.Mutex
	busy bool
	next *answer[T] // who waits for the next one; nil: nobody does
}

type answer[T any] struct {
	done  chan struct{} // closed when the rest is there
	value T
	err   error
}

// get asks, and returns what began after it was called. It ends with ctx.
func (s *shared[T]) get(ctx context.Context) (T, error) {
	s.mu.Lock()
	if s.next == nil {
		s.next = &answer[T]{done: make(chan struct{})}
	}
	a := s.next
	if !s.busy {
		s.busy = true
		s.run(s.all)
	}
	s.mu.Unlock()
	select {
	case <-a.done:
		return a.value, a.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// all asks until nobody waits.
func (s *shared[T]) all() {
	for {
		s.mu.Lock()
		a := s.next
		s.next = nil
		s.busy = a != nil
		s.mu.Unlock()
		if a == nil {
			return
		}
		a.value, a.err = s.ask()
		close(a.done)
	}
}
