package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var errLate = errors.New("kafka: acknowledge: the items went to another taker before it was kept")

// Ack is of [message.Queue]. Items that another taker may have by now are left out.
func (q *Queue) Ack(ctx context.Context, items ...message.Item) error {
	ctx, cancel, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	q.mu.Lock()
	entries := q.ours(items)
	for _, e := range entries {
		e.partition.finish(e)
	}
	q.mu.Unlock()
	if len(entries) == 0 {
		return nil
	}
	err = q.remember(ctx, entries)
	s := entries[0].partition.session
	q.mu.Lock()
	defer q.mu.Unlock()
	s.settle(q, len(entries))
	if resume := s.unblocked(); len(resume) > 0 {
		q.consumer.ResumeFetchPartitions(map[string][]int32{q.opts.Topic: resume})
	}
	switch {
	case err != nil && !errors.Is(err, message.ErrClosed):
		err = fmt.Errorf("kafka: acknowledge: %w", err)
	case err == nil && s.gone:
		err = errLate
	}
	return err
}

// ours are those of the items that this taker has. mu is held.
func (q *Queue) ours(items []message.Item) (entries []*entry) {
	mine := make(map[*entry]bool, len(items))
	for _, it := range items {
		e, ok := it.Receipt.(*entry)
		if ok && e.partition.session == q.session && q.session != nil && !e.done && !mine[e] {
			mine[e] = true
			entries = append(entries, e)
		}
	}
	return entries
}

// unblocked are partitions of which more may be fetched again. The queue's mu is held.
func (s *session) unblocked() (numbers []int32) {
	for number, p := range s.partitions {
		if p.paused && !p.blocked() {
			p.paused = false
			numbers = append(numbers, number)
		}
	}
	return numbers
}
