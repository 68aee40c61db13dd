package message

import (
	"context"
	"errors"
	"time"
)

// Edit replaces Content, Data and Edited of a message by those of m, which is otherwise as it is
// stored, and has it found by its new words. It is validated as a new message is; nothing is
// delivered, since who is to hear of it is for the application to say. The error is a *[Refusal],
// [ErrNotFound], or the Store's, after which it may be done or not. An Index that fails is told to
// OnError.
func (p *Pipeline) Edit(ctx context.Context, m Message) error {
	if err := p.validate(ctx, &m); err != nil {
		return err
	}
	began := time.Now()
	err := p.guard(func() error { return p.opts.Store.Edit(ctx, m) })
	p.observe(StageStore, began, 1, failures(err), err)
	if err == nil {
		p.index(ctx, []Message{m})
	}
	return err
}

// Delete forgets messages of a channel, in the Store and in the Index, and returns the ids of
// those that were there. Nothing is delivered. An Index that fails is told to OnError.
func (p *Pipeline) Delete(ctx context.Context, channel string, ids ...ID) (deleted []ID, err error) {
	began := time.Now()
	err = p.guard(func() (err error) {
		deleted, err = p.opts.Store.Delete(ctx, channel, ids...)
		return err
	})
	p.observe(StageStore, began, len(ids), failures(err)*len(ids), err)
	if err != nil || p.opts.Index == nil {
		return deleted, err
	}
	gone := make([]Message, len(ids))
	for i, id := range ids {
		gone[i] = Message{ID: id, Channel: channel}
	}
	p.afterwards(StageIndex, gone, func() error { return p.opts.Index.Remove(ctx, channel, ids...) })
	return deleted, nil
}

// failures is 1 for what did not work. What was not there to be changed is no failure.
func failures(err error) int {
	if err == nil || errors.Is(err, ErrNotFound) {
		return 0
	}
	return 1
}
