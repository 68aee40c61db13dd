package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// commits are what is to be told to the group. One commit is under way at a time; what is to be
// committed meanwhile goes with the next. The queue's mu guards them.
type commits struct {
	next *commit
	kick chan struct{} // has an entry when next has a partition
}

type commit struct {
	partitions map[*partition]bool
	done       chan struct{}
	err        error // after done
}

func newCommit() *commit {
	return &commit{partitions: make(map[*partition]bool), done: make(chan struct{})}
}

func newCommits() commits { return commits{newCommit(), make(chan struct{}, 1)} }

// remember returns when the group knows how far some partitions are, or when their session is over.
func (q *Queue) remember(ctx context.Context, partitions []*partition) error {
	q.mu.Lock()
	c := q.commits.next
	for _, p := range partitions {
		c.partitions[p] = true
	}
	q.mu.Unlock()
	select {
	case q.commits.kick <- struct{}{}:
	default:
	}
	select {
	case <-c.done:
		return c.err
	case <-ctx.Done():
		return ctx.Err()
	case <-q.base.Done():
		return message.ErrClosed
	}
}

// commit commits until the queue is closed.
func (q *Queue) commit() {
	for {
		select {
		case <-q.commits.kick:
		case <-q.base.Done():
			return
		}
		q.mu.Lock()
		c := q.commits.next
		q.commits.next = newCommit()
		request := q.request(c)
		q.mu.Unlock()
		if request != nil {
			c.err = q.send(request)
		}
		close(c.done)
	}
}

// partitionsOf are those of some entries.
func partitionsOf(entries []*entry) []*partition {
	seen := make(map[*partition]bool)
	for _, e := range entries {
		seen[e.partition] = true
	}
	return slices.Collect(maps.Keys(seen))
}

// request is what to commit, or nil if nothing of it is ours any more. mu is held.
func (q *Queue) request(c *commit) *kmsg.OffsetCommitRequest {
	s := q.session
	if s == nil {
		return nil
	}
	topic := kmsg.NewOffsetCommitRequestTopic()
	topic.Topic, topic.TopicID = q.opts.Topic, q.topicID
	for p := range c.partitions {
		if p.session != s {
			continue
		}
		delete(s.owed, p)
		now := p.progress(q.owner)
		part := kmsg.NewOffsetCommitRequestTopicPartition()
		part.Partition, part.Offset, part.Metadata = p.number, now.first(), kmsg.StringPtr(now.encode())
		topic.Partitions = append(topic.Partitions, part)
	}
	if len(topic.Partitions) == 0 {
		return nil
	}
	request := kmsg.NewPtrOffsetCommitRequest()
	request.Group, request.MemberID, request.Generation = q.opts.Topic, s.member, s.generation
	request.Topics = append(request.Topics, topic)
	return request
}

// send commits, and ends a session that the group does not know any more.
func (q *Queue) send(request *kmsg.OffsetCommitRequest) error {
	ctx, cancel := context.WithTimeout(q.base, patience)
	defer cancel()
	response, err := request.RequestWith(ctx, q.consumer)
	if err != nil {
		return err
	}
	for _, topic := range response.Topics {
		for _, p := range topic.Partitions {
			err = errors.Join(err, kerr.ErrorForCode(p.ErrorCode))
		}
	}
	if errors.Is(err, kerr.UnknownMemberID) || errors.Is(err, kerr.IllegalGeneration) {
		q.mu.Lock()
		defer q.mu.Unlock()
		if s := q.session; s != nil && s.member == request.MemberID && s.generation == request.Generation {
			q.over()
		}
	}
	return err
}
