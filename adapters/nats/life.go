package nats

import (
	"context"
	"fmt"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// life counts what runs, until it is over. Make it with newLife.
type life struct {
	ctx     context.Context // ends with it
	stop    context.CancelFunc
	running sync.WaitGroup

	entering sync.Mutex // guards over, and no Add follows it
	over     bool
}

func newLife() *life {
	l := new(life)
	l.ctx, l.stop = context.WithCancel(context.Background())
	return l
}

// call is that of [Queue].
func (l *life) call(ctx context.Context, f func(ctx context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if !l.enter() {
		return gateway.ErrClosed
	}
	return within(ctx, l.ctx, gateway.ErrClosed, l.running.Done, f)
}

func (l *life) enter() bool {
	l.entering.Lock()
	defer l.entering.Unlock()
	if !l.over {
		l.running.Add(1)
	}
	return !l.over
}

// run has f run in a goroutine, which ends with l.ctx; not when it is over.
func (l *life) run(f func()) {
	if l.enter() {
		go func() {
			defer l.running.Done()
			f()
		}()
	}
}

// end ends it, and waits for what runs, but not for long: the client does not leave a connection that
// takes nothing.
func (l *life) end() error {
	l.entering.Lock()
	again := l.over
	l.over = true
	l.entering.Unlock()
	if again {
		return nil
	}
	l.stop()
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	left := make(chan struct{})
	go func() {
		l.running.Wait()
		close(left)
	}()
	select {
	case <-left:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("nats: close: %w", ctx.Err())
	}
}
