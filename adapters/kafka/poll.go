package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// enough is how many items are fetched ahead of those that are taken.
const enough = 1000

// poll fetches records until the queue is closed. One goroutine does it: a poll waits while the
// group is divided anew, and a Take may not.
func (q *Queue) poll() {
	for q.hunger() {
		fetches := q.consumer.PollRecords(q.base, enough)
		q.receive(fetches)
		q.consumer.AllowRebalance()
		for q.base.Err() == nil && !q.load() {
			_ = rest(q.base, 100*time.Millisecond)
		}
	}
}

// hunger waits until more should be fetched, or returns false when the queue is closed.
func (q *Queue) hunger() bool {
	for q.base.Err() == nil {
		q.mu.Lock()
		ready, changed := 0, q.changed
		var pause []int32
		if q.session != nil {
			for number, p := range q.session.partitions {
				switch {
				case !p.blocked():
					ready += p.ready()
				case !p.paused && p.ready() >= enough: // the others go on
					p.paused = true
					pause = append(pause, number)
				}
			}
		}
		if len(pause) > 0 {
			q.consumer.PauseFetchPartitions(map[string][]int32{q.opts.Topic: pause})
		}
		q.mu.Unlock()
		if ready < enough {
			return true
		}
		select {
		case <-changed:
		case <-q.base.Done():
		}
	}
	return false
}

// receive takes in what was polled. The session is that in which it was fetched.
func (q *Queue) receive(fetches kgo.Fetches) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for _, fault := range fetches.Errors() {
		var session *kgo.ErrGroupSession
		if !errors.As(fault.Err, &session) && q.base.Err() == nil { // the client joins again by itself
			q.failed = fault.Err
		}
	}
	fetches.EachRecord(func(r *kgo.Record) {
		if q.session == nil {
			return
		}
		if p := q.session.partitions[r.Partition]; p != nil {
			p.add(r)
		}
	})
	q.wake()
}

// load asks the group for what it remembers of partitions of which that is not known here, and
// reports whether there is none left.
func (q *Queue) load() bool {
	q.mu.Lock()
	s, missing := q.session, false
	if s != nil {
		for _, p := range s.partitions {
			missing = missing || len(p.early) > 0
		}
	}
	q.mu.Unlock()
	if !missing {
		return true
	}
	ctx, cancel := context.WithTimeout(q.base, patience)
	defer cancel()
	// Whoever had a partition before can commit no more: this is the last word.
	offsets, err := q.admin.FetchOffsets(ctx, q.opts.Topic)
	q.mu.Lock()
	defer q.mu.Unlock()
	for number, p := range s.partitions {
		if err != nil || p.loaded {
			continue
		}
		var was progress
		offset, there := offsets.Lookup(q.opts.Topic, number)
		if there && offset.Err != nil {
			err = offset.Err
			continue
		}
		if there && offset.At >= 0 {
			if was, err = decode(offset.At, offset.Metadata); err != nil {
				q.failed, err = err, nil // it is gone: all behind the offset is taken again
			}
		}
		p.load(was, q.owner)
	}
	if err != nil {
		q.failed = err
	}
	q.wake()
	return err == nil
}
