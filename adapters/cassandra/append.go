package cassandra

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/apache/cassandra-gocql-driver/v2"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// What goes into one statement, if it is not one message alone.
const (
	mostRows  = 100
	mostBytes = 64 << 10
)

// mostAtATime is how many statements of one call are under way.
const mostAtATime = 8

// Append is of message.Store.
func (s *Store) Append(ctx context.Context, channel string, batch []message.Message) error {
	if err := ctx.Err(); err != nil {
		return wrap(ctx, "append", err)
	}
	refused := make(message.BatchError)
	rows := make([]message.Message, 0, len(batch))
	for i, m := range batch {
		if err := refusal(channel, m); err != nil {
			refused[i] = err
			continue
		}
		rows = append(rows, m)
	}
	slices.SortStableFunc(rows, func(a, b message.Message) int { return cmp.Compare(a.ID, b.ID) })
	rows = slices.CompactFunc(rows, func(a, b message.Message) bool { return a.ID == b.ID }) // the first counts
	chunks := s.chunks(channel, rows)
	err := each(len(chunks), mostAtATime, func(i int) error { return s.appendChunk(ctx, chunks[i]) })
	if err != nil {
		return wrap(ctx, "append", err)
	}
	if len(refused) > 0 {
		return refused
	}
	return nil
}

// refusal is why a message cannot be kept.
func refusal(channel string, m message.Message) error {
	switch {
	case !isChannel(channel):
		return errChannel
	case m.ID > math.MaxInt64:
		return errID
	case !utf8.ValidString(m.Author) || !utf8.ValidString(m.Content) || !utf8.ValidString(m.Nonce):
		return errText
	case sizeOf(m) > 1<<20:
		return errLarge
	}
	return nil
}

func isChannel(name string) bool {
	return name != "" && len(name) <= 65_000 && utf8.ValidString(name)
}

func sizeOf(m message.Message) int {
	return len(m.Author) + len(m.Content) + len(m.Data) + len(m.Nonce) + 64
}

// chunk is what is written together.
type chunk struct {
	partition
	rows []message.Message
}

// chunks divides messages that are in the order of ids.
func (s *Store) chunks(channel string, rows []message.Message) (list []chunk) {
	bytes := 0
	for i, m := range rows {
		p, size := partition{channel, s.bucketOf(m.ID)}, sizeOf(m)
		bytes += size
		last := len(list) - 1
		if last < 0 || list[last].partition != p || len(list[last].rows) == mostRows || bytes > mostBytes {
			list, last, bytes = append(list, chunk{p, rows[i:i]}), last+1, size
		}
		list[last].rows = list[last].rows[:len(list[last].rows)+1]
	}
	return list
}

// appendChunk writes, and then looks: what was deleted before is hidden, and has to be inserted in
// another way.
func (s *Store) appendChunk(ctx context.Context, c chunk) error {
	if err := s.announce(ctx, c.partition); err != nil {
		return err
	}
	stamp := s.mirrored(time.Now())
	batch := s.session.Batch(gocql.UnloggedBatch)
	for _, m := range c.rows {
		add(batch, true, s.cql.insert, append(row(c.partition, m), stamp, s.ttl)...)
	}
	if err := batch.ExecContext(ctx); err != nil {
		return err
	}
	hidden, err := s.hidden(ctx, c.partition, c.rows)
	if err != nil || len(hidden) == 0 {
		return err
	}
	return s.revive(ctx, c.partition, hidden)
}

// mirrored is a timestamp of Cassandra, in microseconds: as far before message.Epoch as now is
// behind it. It is lower than all before it, also when the clock goes backwards.
func (s *Store) mirrored(now time.Time) int64 {
	for {
		last := s.stamp.Load()
		stamp := min(2*message.Epoch.UnixMicro()-now.UnixMicro(), last-1)
		if s.stamp.CompareAndSwap(last, stamp) {
			return stamp
		}
	}
}

// row is the values of an insert. None is null.
func row(p partition, m message.Message) []any {
	return []any{p.channel, p.bucket, int64(m.ID), m.Author, m.Content, bytesOf(m), m.Nonce, m.Edited.UnixMilli()}
}

func bytesOf(m message.Message) []byte {
	if m.Data == nil {
		return []byte{}
	}
	return m.Data
}

// add puts a statement into a batch. One that is idempotent may be tried again by the driver.
func add(b *gocql.Batch, idempotent bool, statement string, values ...any) {
	b.Entries = append(b.Entries, gocql.BatchEntry{Stmt: statement, Args: values, Idempotent: idempotent})
}

// hidden returns those messages that cannot be seen.
func (s *Store) hidden(ctx context.Context, p partition, rows []message.Message) (list []message.Message, err error) {
	ids := make([]message.ID, len(rows))
	for i, m := range rows {
		ids[i] = m.ID
	}
	there, err := s.there(ctx, p, ids)
	if err != nil {
		return nil, err
	}
	for _, m := range rows {
		if _, found := slices.BinarySearch(there, m.ID); !found {
			list = append(list, m)
		}
	}
	return list, nil
}

// revive inserts messages above the tombstones that hide them.
func (s *Store) revive(ctx context.Context, p partition, rows []message.Message) error {
	give, err := s.turns.take(ctx, p.channel)
	if err != nil {
		return err
	}
	defer give()
	for range mostTries {
		batch := s.session.Batch(gocql.UnloggedBatch)
		for _, m := range rows {
			add(batch, true, s.cql.absent, append(row(p, m), s.ttl)...)
		}
		if done, err := transact(ctx, batch); err != nil || done {
			return err
		}
		// Somebody else has inserted one of them.
		if rows, err = s.hidden(ctx, p, rows); err != nil || len(rows) == 0 {
			return err
		}
	}
	return ErrContended
}
