package message

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

// Pipeline is the way of messages. Its methods may be called by many goroutines at once. Make
// one with [New]; Close ends it.
type Pipeline struct {
	opts     Options
	batches  *batch.Keyed[string, *pending]
	channels channels
	waiting  waiting

	// Of chan struct{}, for pending.done. One that has not rung is not put back: it may still.
	bells sync.Pool

	counts   [stages]stageCount
	repeated atomic.Uint64
	pace     atomic.Int64 // what a message takes to be stored, of late, in nanoseconds
}

// pending is a message on its way. Who stores its channel owns it until done is told, and settled
// afterwards.
type pending struct {
	m       Message
	epoch   uint64        // of who owns the channel
	done    chan struct{} // takes one; nil: nobody waits
	err     error
	twins   []*pending // the same message, sent again meanwhile
	placed  bool       // among the twins of another
	settled bool
}

// settle tells who waits.
func (it *pending) settle(err error) {
	it.err, it.settled = err, true
	if it.done != nil {
		it.done <- struct{}{}
	}
	for _, twin := range it.twins {
		twin.m = it.m
		twin.settle(err)
	}
}

var errNoStore = errors.New("message: Options.Store is required")

// New returns a pipeline that is ready. The error says what is wrong with the options.
func New(o Options) (*Pipeline, error) {
	if o.Store == nil {
		return nil, errNoStore
	}
	p := &Pipeline{opts: o.withDefaults(), bells: sync.Pool{New: func() any { return make(chan struct{}, 1) }}}
	p.batches = batch.NewKeyed(p.flush, p.opts.Batch, batch.KeyedHooks[string, *pending]{
		OnError: p.giveUp,
		Size:    func(it *pending) int { return len(it.m.Content) + len(it.m.Data) },
	})
	return p, nil
}

// Send takes a message all the way and returns it as it was stored, with its id. With
// Options.Queue it returns when the queue has it, without an id. The error is a *[Refusal] when
// the message was not taken, a *[NotOwnerError] when it belongs elsewhere, ErrClosed after
// Close; with any other, that of ctx among them, it may have been: sent again with the same
// nonce, it is one message.
func (p *Pipeline) Send(ctx context.Context, m Message) (Message, error) {
	return p.send(ctx, m, false)
}

// send is Send, for somebody who waits for what comes out of the queue or not.
func (p *Pipeline) send(ctx context.Context, m Message, waits bool) (Message, error) {
	m.ID = 0
	if err := p.limit(ctx, m); err != nil {
		return m, err
	}
	if err := p.validate(ctx, &m); err != nil {
		return m, err
	}
	if p.opts.Queue != nil {
		return p.put(ctx, m, waits)
	}
	owner := p.opts.Owner(m.Channel)
	if !owner.Here {
		return m, &NotOwnerError{m.Channel, owner.Node}
	}
	bell := p.bells.Get().(chan struct{})
	it := &pending{m: m, epoch: owner.Epoch, done: bell}
	switch err := p.batches.TryAdd(m.Channel, it); {
	case errors.Is(err, batch.ErrFull):
		return m, &Refusal{Code: CodeBusy, RetryAfter: p.wait(), Message: "too many messages are waiting"}
	case err != nil:
		return m, ErrClosed
	}
	select {
	case <-bell:
		p.bells.Put(bell)
		return it.m, it.err
	case <-ctx.Done():
		return m, fmt.Errorf("message: it may be stored or not: %w", ctx.Err())
	}
}

// Close stores what has been sent, takes no more, and returns within ctx: what could not be
// stored by then is refused.
func (p *Pipeline) Close(ctx context.Context) error { return p.batches.Close(ctx) }

func (p *Pipeline) limit(ctx context.Context, m Message) error {
	if p.opts.Limit == nil {
		return nil
	}
	began := time.Now()
	wait, err := p.opts.Limit(ctx, m)
	if ended := ctx.Err(); ended != nil {
		return ended
	}
	if err != nil || wait <= 0 {
		p.observe(StageLimit, began, 1, 0, err)
		return nil
	}
	p.observe(StageLimit, began, 1, 1, nil)
	return &Refusal{Code: CodeLimited, RetryAfter: wait, Message: "too many messages of one sender"}
}

func (p *Pipeline) validate(ctx context.Context, m *Message) error {
	began, channel, author, nonce := time.Now(), m.Channel, m.Author, m.Nonce
	err := p.opts.Validate(ctx, m)
	if err == nil {
		p.observe(StageValidate, began, 1, 0, nil)
		m.Channel, m.Author, m.Nonce = channel, author, nonce
		return nil
	}
	p.observe(StageValidate, began, 1, 1, err)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		return err
	}
	return &Refusal{Code: CodeInvalid, Cause: err}
}

// The least and the most that a sender is told to wait for a line that is full.
const leastWait, mostWait = 100 * time.Millisecond, 5 * time.Second

// wait is how long the line takes to become half as long.
func (p *Pipeline) wait() time.Duration {
	half := time.Duration(p.pace.Load()) * time.Duration(p.batches.Stats().Queued/2)
	return min(max(half, leastWait), mostWait)
}
