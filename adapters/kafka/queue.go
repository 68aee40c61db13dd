package kafka

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Queue is one taker of a topic: a message.Queue. Make it with [Open].
type Queue struct {
	// Static after Open.
	opts     Options
	topicID  kadm.TopicID
	producer *kgo.Client // puts, and asks
	admin    *kadm.Client
	sender   sender
	owner    uint64 // this taker, in progress

	base    context.Context // ends with Close
	cancel  context.CancelFunc
	workers sync.WaitGroup
	ended   chan struct{} // closed when Close is done

	mu       sync.Mutex  // held for no call of a client that waits
	consumer *kgo.Client // nil until the first Take
	closed   bool
	session  *session      // nil while the group has given us nothing
	failed   error         // what the next Take has to tell
	changed  chan struct{} // closed when something that is waited for may have come
	commits  commits
}

var _ message.Queue = (*Queue)(nil)

func newQueue(o Options) *Queue {
	q := &Queue{
		opts: o, owner: rand.Uint64(),
		changed: make(chan struct{}), ended: make(chan struct{}), commits: newCommits(),
	}
	q.base, q.cancel = context.WithCancel(context.Background())
	return q
}

// wake has everybody who waits look again. mu is held.
func (q *Queue) wake() {
	close(q.changed)
	q.changed = make(chan struct{})
}

// begin says why nothing can be done, and bounds what is.
func (q *Queue) begin(ctx context.Context) (context.Context, context.CancelFunc, error) {
	q.mu.Lock()
	closed := q.closed
	q.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case closed:
		return nil, nil, message.ErrClosed
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	return ctx, cancel, nil
}

// Take is of [message.Queue]. With the first one the taker joins the group; from then on its share
// of the keys waits for it, so it has to take again and again, or be closed.
func (q *Queue) Take(ctx context.Context, max int) ([]message.Item, error) {
	if err := q.join(ctx); err != nil {
		return nil, err
	}
	for {
		entries, changed, err := q.choose(ctx, max)
		if err != nil {
			return nil, err
		}
		if len(entries) > 0 {
			items, err := q.give(ctx, entries)
			if err != nil || len(items) > 0 {
				return items, err
			}
			continue // the group has divided anew
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// join has this taker be one of the group, if it is not yet.
func (q *Queue) join(ctx context.Context) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	if err := ctx.Err(); err != nil || q.closed || q.consumer != nil {
		return err
	}
	consumer, err := kgo.NewClient(q.opts.consumer(q)...) // does not wait
	if err != nil {
		return fmt.Errorf("kafka: take: %w", err)
	}
	q.consumer = consumer
	q.workers.Go(q.poll)
	q.workers.Go(q.commit)
	return nil
}

// choose takes what is here, and says what to wait for if that is nothing.
func (q *Queue) choose(ctx context.Context, max int) (entries []*entry, changed <-chan struct{}, err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case q.closed:
		return nil, nil, message.ErrClosed
	case q.failed != nil:
		err, q.failed = q.failed, nil
		return nil, nil, fmt.Errorf("kafka: take: %w", err)
	case q.session == nil || q.session.leaving:
		return nil, q.changed, nil
	}
	for _, p := range q.session.partitions {
		for len(entries) < max {
			e := p.take()
			if e == nil {
				break
			}
			entries = append(entries, e)
		}
	}
	if len(entries) > 0 {
		q.session.out += len(entries)
		q.wake() // more may be fetched
	}
	return entries, q.changed, nil
}

// give returns items once the group remembers that they were taken. If they are still ours then,
// they were all the time, since nobody else could commit.
func (q *Queue) give(ctx context.Context, entries []*entry) ([]message.Item, error) {
	err := q.remember(ctx, partitionsOf(entries))
	q.mu.Lock()
	defer q.mu.Unlock()
	s := entries[0].partition.session
	if s.gone {
		return nil, ctx.Err()
	}
	if err != nil {
		for _, e := range entries {
			e.partition.untake()
			s.owed[e.partition] = true
		}
		s.settle(q, len(entries))
		return nil, fmt.Errorf("kafka: take: %w", err)
	}
	items := make([]message.Item, len(entries))
	for i, e := range entries {
		items[i] = itemOf(e.record)
		items[i].Tries, items[i].Epoch, items[i].Receipt = e.tries, e.partition.epoch, e
	}
	return items, nil
}
