package cassandra

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Page is of message.Store.
func (s *Store) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil || !isChannel(channel) {
		return nil, wrap(ctx, "page", err)
	}
	older, newer := message.ID(math.MaxInt64), message.ID(math.MaxInt64)
	switch {
	case q.Before != 0:
		older = min(q.Before-1, older)
	case q.After != 0:
		older, newer = 0, min(q.After, newer)
	case q.Around != 0:
		older = min(q.Around, older)
		newer = older
	}
	list, err := s.read(ctx, s.cql.upTo, channel, older, q.Limit)
	if err != nil {
		return nil, wrap(ctx, "page", err)
	}
	slices.Reverse(list)
	after, err := s.read(ctx, s.cql.behind, channel, newer, q.Limit)
	if err != nil {
		return nil, wrap(ctx, "page", err)
	}
	return q.Of(append(list, after...)), nil
}

// read returns messages on one side of an id, the nearest first. It reads one bucket, and if that
// has not enough, two at a time, then four: the next ones may hold as little.
func (s *Store) read(ctx context.Context, on side, channel string, from message.ID, limit int) (list []message.Message, err error) {
	if on == s.cql.upTo && from == 0 || on == s.cql.behind && from == math.MaxInt64 {
		return nil, nil
	}
	buckets := s.session.Query(on.buckets, channel, s.bucketOf(from)).Idempotent(true).IterContext(ctx)
	for n := 1; len(list) < limit; n = min(2*n, mostAtATime, limit-len(list)) {
		var some []int
		for bucket := 0; len(some) < n && buckets.Scan(&bucket); {
			some = append(some, bucket)
		}
		if len(some) == 0 {
			break
		}
		parts := make([][]message.Message, len(some))
		err = each(len(some), mostAtATime, func(i int) (err error) {
			parts[i], err = s.readBucket(ctx, on, partition{channel, some[i]}, from, limit-len(list))
			return err
		})
		if err != nil {
			buckets.Close()
			return nil, err
		}
		for _, part := range parts {
			list = append(list, part[:min(len(part), limit-len(list))]...)
		}
	}
	return list, buckets.Close()
}

// mostFetched is how many rows a node is asked for at a time: they are in its memory, and in
// ours, as one answer.
const mostFetched = 200

// readBucket is read of one bucket.
func (s *Store) readBucket(ctx context.Context, on side, p partition, from message.ID, limit int) (list []message.Message, err error) {
	rows := s.session.Query(on.rows, p.channel, p.bucket, int64(from)).PageSize(min(limit, mostFetched)).Idempotent(true).IterContext(ctx)
	var (
		id, edited int64
		author     *string
		content    string
		data       []byte
		nonce      string
	)
	for len(list) < limit && rows.Scan(&id, &author, &content, &data, &nonce, &edited) {
		if author == nil { // only an edit is left, for a second: see Edit
			continue
		}
		m := message.Message{
			ID: message.ID(id), Channel: p.channel, Author: *author, Content: content, Nonce: nonce,
			Edited: time.UnixMilli(edited).UTC(),
		}
		if len(data) > 0 {
			m.Data = data
		}
		list, data = append(list, m), nil
	}
	return list, rows.Close()
}
