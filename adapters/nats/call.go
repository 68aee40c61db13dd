package nats

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	natsgo "github.com/nats-io/nats.go"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// patience is how long a call may take whose context has no deadline, but for Take, which waits.
const patience = 10 * time.Second

// call calls f, which waits for the server, and returns when it has ended, or ctx or the queue has:
// f may then still be waiting for a connection that takes nothing, which the client does not always
// leave when its context ends. Close waits for it. So what f sets is only to be looked at after call has
// returned nil.
func (q *Queue) call(ctx context.Context, f func(ctx context.Context) error) error {
	if err := q.enter(ctx); err != nil {
		return err
	}
	return within(ctx, q.ctx, message.ErrClosed, q.running.Done, f)
}

// within is call: over ends when closed is to be returned, and done is called when f has ended.
func within(ctx, over context.Context, closed error, done func(), f func(ctx context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	result := make(chan error, 1)
	go func() {
		defer done()
		result <- f(within)
	}()
	var err error
	select {
	case err = <-result:
	case <-within.Done():
		err = within.Err()
	case <-over.Done():
		return closed
	}
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), errors.Is(err, natsgo.ErrTimeout):
		return errSilent
	}
	return err
}

// enter adds one to running, unless there is nothing to be done any more.
func (q *Queue) enter(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed {
		return message.ErrClosed
	}
	q.running.Add(1)
	return nil
}

// each calls f for all, side by side, and returns the first of their errors.
func each[T any](all []T, f func(T) error) error {
	errs := make([]error, len(all))
	var wait sync.WaitGroup
	turns := make(chan struct{}, 256)
	for i, one := range all {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			errs[i] = f(one)
		})
	}
	wait.Wait()
	return cmp.Or(errs...)
}

// rest waits, unless ctx ends before that.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// note leaves a note in a channel for one, unless there is one already.
func note(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
