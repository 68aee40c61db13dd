package kafka

import (
	"context"
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kgo"
)

// session is what the group has given to this taker, from one division among takers to the next.
// A commit bears its member and generation: the group refuses that of a session which is over.
type session struct {
	member     string
	generation int32
	partitions map[int32]*partition
	out        int                 // items that are taken, and whose end is not committed yet
	owed       map[*partition]bool // of which the group should be told before they go
	leaving    bool                // it ends when out is 0: nothing is taken any more
	gone       bool                // it is over: what it had is somebody else's
}

// settle is told that some items are not out any more. The queue's mu is held.
func (s *session) settle(q *Queue, n int) {
	s.out -= n
	q.wake()
}

// assigned begins a session. While it runs, nothing is polled.
func (q *Queue) assigned(_ context.Context, client *kgo.Client, topics map[string][]int32) {
	s := &session{partitions: make(map[int32]*partition), owed: make(map[*partition]bool)}
	s.member, s.generation = client.GroupMetadata()
	for _, number := range topics[q.opts.Topic] {
		s.partitions[number] = &partition{session: s, number: number}
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over()
	client.ResumeFetchPartitions(client.PauseFetchPartitions(nil)) // those of the last session
	q.session = s
	q.wake()
}

// revoked ends a session in good order: the group waits until it returns. What is being dealt with
// is waited for.
func (q *Queue) revoked(context.Context, *kgo.Client, map[string][]int32) {
	ctx, cancel := context.WithTimeout(q.base, q.opts.Handover)
	defer cancel()
	q.mu.Lock()
	s := q.session
	if s == nil {
		q.mu.Unlock()
		return
	}
	s.leaving = true
	for s.out > 0 && !s.gone && !q.closed && ctx.Err() == nil {
		changed := q.changed
		q.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
		}
		q.mu.Lock()
	}
	owed := slices.Collect(maps.Keys(s.owed))
	q.mu.Unlock()
	if len(owed) > 0 {
		_ = q.remember(ctx, owed) // that items were given back: they would count as taken
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over()
}

// lost ends a session of which the group knows nothing any more.
func (q *Queue) lost(context.Context, *kgo.Client, map[string][]int32) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.over()
}

// over ends the session, if there is one. mu is held.
func (q *Queue) over() {
	if q.session != nil {
		q.session.gone = true
		q.session = nil
		q.wake()
	}
}
