package main

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/batch"
)

// writes keeps messages. One that comes alone is written at once; those that
// come while a transaction is under way share the next.
type writes struct {
	batcher *batch.Batcher[write]
}

// write is a message on its way to the store, and who waits for it.
type write struct {
	message sqlite.Message
	done    chan error // takes one result
}

// gather is how long a message waits for others, when there are any.
const gather = 5 * time.Millisecond

func newWrites(store *sqlite.Store) *writes {
	flush := func(ctx context.Context, items []write) error {
		messages := make([]sqlite.Message, len(items))
		for i, w := range items {
			messages[i] = w.message
		}
		err := store.Append(ctx, messages...)
		if errors.Is(err, sqlite.ErrExists) { // sent again: no reason to refuse the others
			for _, w := range items {
				w.done <- store.Append(ctx, w.message)
			}
			return nil
		}
		if err == nil {
			finish(items, nil)
		}
		return err
	}
	return &writes{batch.New(flush, batch.Options{MaxDelay: gather, Leading: true}, batch.Hooks[write]{OnError: finish})}
}

func finish(items []write, err error) {
	for _, w := range items {
		w.done <- err
	}
}

// keep returns when the message is stored, or will not be.
func (w *writes) keep(ctx context.Context, m sqlite.Message) error {
	item := write{m, make(chan error, 1)}
	if err := w.batcher.Add(ctx, item); err != nil {
		return err
	}
	select {
	case err := <-item.done:
		return err
	case <-ctx.Done(): // whoever asked has gone; the message is kept all the same
		return ctx.Err()
	}
}

// close stores what is on its way.
func (w *writes) close(ctx context.Context) error { return w.batcher.Close(ctx) }
