package batch

import "time"

// queue is what is known of one key that has items, or had some a moment ago. All of it is guarded by Keyed.mu.
type queue[K comparable] struct {
	key    K
	chain  chain         // all items, oldest first
	taken  extent        // how many of them are the batch that is being flushed or retried
	tries  int           // of that batch
	err    error         // of its last try
	closes time.Duration // when the waiting items are due; 0: they are
	state  state

	alarm time.Duration // when resting ends
	pos   int           // place in alarms, counted from 1; 0: not there
	next  *queue[K]     // in ready, or among the forgotten
}

type state uint8

const (
	resting state = iota
	ready
	flushing
)

// extent measures items.
type extent struct{ count, bytes int }

// waiting counts the items behind the batch that is being flushed or retried.
func (q *queue[K]) waiting() int { return q.chain.count - q.taken.count }

// fifo is a queue of queues.
type fifo[K comparable] struct{ first, last *queue[K] }

func (f *fifo[K]) push(q *queue[K]) {
	if f.first == nil {
		f.first = q
	} else {
		f.last.next = q
	}
	f.last = q
}

func (f *fifo[K]) pop() *queue[K] {
	q := f.first
	if q != nil {
		f.first, q.next = q.next, nil
	}
	return q
}
