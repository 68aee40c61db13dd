package cassandra

import (
	"context"
	"errors"
	"math"
	"slices"
	"unicode/utf8"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// mostTries is how often a transaction is tried that found something else than what was read before it.
const mostTries = 10

// Edit is of message.Store.
func (s *Store) Edit(ctx context.Context, m message.Message) error {
	if err := ctx.Err(); err != nil {
		return wrap(ctx, "edit", err)
	}
	if !isChannel(m.Channel) || m.ID > math.MaxInt64 {
		return message.ErrNotFound
	}
	if !utf8.ValidString(m.Content) {
		return errText
	}
	if sizeOf(m) > 1<<20 {
		return errLarge
	}
	done, err := s.edit(ctx, partition{m.Channel, s.bucketOf(m.ID)}, m)
	if err == nil && !done {
		return message.ErrNotFound
	}
	return wrap(ctx, "edit", err)
}

func (s *Store) edit(ctx context.Context, p partition, m message.Message) (done bool, err error) {
	give, err := s.turns.take(ctx, p.channel)
	if err != nil {
		return false, err
	}
	defer give()
	// What is edited is to be forgotten when the rest is.
	var author *string
	var left *int
	err = s.session.Query(s.cql.left, p.channel, p.bucket, int64(m.ID)).Idempotent(true).ScanContext(ctx, &author, &left)
	switch {
	case errors.Is(err, gocql.ErrNotFound), err == nil && author == nil:
		return false, nil
	case err != nil:
		return false, err
	}
	ttl := 0
	if left != nil {
		ttl = *left
	}
	return s.session.Query(s.cql.edit, ttl, m.Content, bytesOf(m), m.Edited.UnixMilli(), p.channel, p.bucket, int64(m.ID)).
		Idempotent(true).MapScanCASContext(ctx, make(map[string]any))
}

// Delete is of message.Store. After an error it returns those ids that it knows to have deleted.
func (s *Store) Delete(ctx context.Context, channel string, ids ...message.ID) (deleted []message.ID, err error) {
	if err := ctx.Err(); err != nil || !isChannel(channel) {
		return nil, wrap(ctx, "delete", err)
	}
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for len(ids) > 0 && ids[0] <= math.MaxInt64 {
		n := 1
		for n < min(len(ids), mostRows) && ids[n] <= math.MaxInt64 && s.bucketOf(ids[n]) == s.bucketOf(ids[0]) {
			n++
		}
		some, err := s.remove(ctx, partition{channel, s.bucketOf(ids[0])}, ids[:n])
		deleted = append(deleted, some...)
		if err != nil {
			return deleted, wrap(ctx, "delete", err)
		}
		ids = ids[n:]
	}
	return deleted, nil
}

// remove deletes those of some ids that are there, all at once: if one of them is gone by then, none is
// deleted, and it looks again. It is not tried again by the driver: a try that was not answered may have
// been done, and would then find nothing.
func (s *Store) remove(ctx context.Context, p partition, ids []message.ID) ([]message.ID, error) {
	give, err := s.turns.take(ctx, p.channel)
	if err != nil {
		return nil, err
	}
	defer give()
	for range mostTries {
		if ids, err = s.there(ctx, p, ids); err != nil || len(ids) == 0 {
			return nil, err
		}
		batch := s.session.Batch(gocql.UnloggedBatch)
		for _, id := range ids {
			add(batch, false, s.cql.remove, p.channel, p.bucket, int64(id))
		}
		done, err := transact(ctx, batch)
		if err != nil {
			return nil, err
		}
		if done {
			return ids, nil
		}
	}
	return nil, ErrContended
}

// there returns, in order, those of at most mostRows ids that a partition has.
func (s *Store) there(ctx context.Context, p partition, ids []message.ID) (found []message.ID, err error) {
	list := make([]int64, len(ids))
	for i, id := range ids {
		list[i] = int64(id)
	}
	iter := s.session.Query(s.cql.there, p.channel, p.bucket, list).Idempotent(true).IterContext(ctx)
	var id int64
	var author *string
	for iter.Scan(&id, &author) {
		if author != nil { // or only an edit of it is left, for a second
			found = append(found, message.ID(id))
		}
	}
	slices.Sort(found)
	return found, iter.Close()
}

// transact runs a batch of conditional statements, and reports whether their conditions held.
func transact(ctx context.Context, b *gocql.Batch) (done bool, err error) {
	iter := b.IterContext(ctx)
	first := make(map[string]any)
	iter.MapScan(first)
	if err := iter.Close(); err != nil {
		return false, err
	}
	done, _ = first["[applied]"].(bool)
	return done, nil
}
