package kafka

import (
	"context"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var errLate = errors.New("kafka: acknowledge: too late, another taker may have the items")

// Ack is of [message.Queue]. The error is not nil if some of the items may be with another taker by now.
func (q *Queue) Ack(ctx context.Context, items ...message.Item) error {
	ctx, cancel, err := q.begin(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	q.mu.Lock()
	entries, late := q.ours(items)
	for _, e := range entries {
		e.partition.finish(e)
	}
	q.mu.Unlock()
	if len(entries) == 0 {
		return late
	}
	err = q.remember(ctx, partitionsOf(entries))
	q.mu.Lock()
	defer q.mu.Unlock()
	s := entries[0].partition.session
	s.settle(q, len(entries))
	if resume := s.unblocked(); len(resume) > 0 {
		q.consumer.ResumeFetchPartitions(map[string][]int32{q.opts.Topic: resume})
	}
	switch {
	case errors.Is(err, message.ErrClosed):
		return err
	case err != nil:
		return fmt.Errorf("kafka: acknowledge: %w", err)
	case s.gone:
		return errLate
	}
	return late
}

// ours are those of the items that this taker has. The error says that others are not dealt with,
// and it has them no more. mu is held.
func (q *Queue) ours(items []message.Item) (entries []*entry, late error) {
	mine := make(map[*entry]bool, len(items))
	for _, it := range items {
		e, ok := it.Receipt.(*entry)
		switch {
		case !ok || e.done || mine[e]:
		case e.partition.session != q.session:
			late = errLate
		default:
			mine[e] = true
			entries = append(entries, e)
		}
	}
	return entries, late
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
