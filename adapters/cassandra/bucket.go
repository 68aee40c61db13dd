package cassandra

import (
	"context"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// partition is a channel's bucket: what Cassandra keeps, and changes, together.
type partition struct {
	channel string
	bucket  int
}

// bucketOf numbers the span of time that an id was given in.
func (s *Store) bucketOf(id message.ID) int { return int(id.Time().Sub(message.Epoch) / s.bucket) }

// buckets are those that this process has announced, and when.
type buckets struct {
	mu sync.Mutex
	at map[partition]time.Time
}

// mostKnown bounds memory. A bucket that is forgotten costs a write when it is used again.
const mostKnown = 10_000

func (b *buckets) knows(p partition, since time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, there := b.at[p]
	return there && !at.Before(since)
}

func (b *buckets) add(p partition, at time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.at == nil || len(b.at) >= mostKnown {
		b.at = make(map[partition]time.Time)
	}
	b.at[p] = at
}

// announce writes down that a channel has a bucket, before there is anything in it: a bucket
// that nobody knows of is not read. Where messages expire, the row has to outlive all that
// come until it is written again, which is after the length of a bucket.
func (s *Store) announce(ctx context.Context, p partition) error {
	now := time.Now()
	if s.known.knows(p, now.Add(-s.bucket)) {
		return nil
	}
	ttl := 0
	if s.ttl > 0 {
		ttl = min(s.ttl+2*secondsOf(s.bucket), longestTTL)
	}
	err := s.session.Query(s.cql.announce, p.channel, p.bucket, ttl).Idempotent(true).ExecContext(ctx)
	if err == nil {
		s.known.add(p, now)
	}
	return err
}
