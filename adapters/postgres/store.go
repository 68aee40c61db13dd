package postgres

import (
	"cmp"
	"context"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Append is of message.Store.
func (s *Store) Append(ctx context.Context, channel string, batch []message.Message) error {
	return tryAll(ctx, "append", batch, func(part []message.Message) error { return s.insert(ctx, channel, part) })
}

// Rows go in in the order of their ids, so that batches that overlap wait for each other in one order.
const insert = `INSERT INTO gatehouse_messages (channel, id, author, content, data, nonce, edited)
	SELECT $1, id, author, content, data, nonce, edited
	FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bytea[], $6::text[], $7::timestamptz[])
		WITH ORDINALITY AS m (id, author, content, data, nonce, edited, place)
	ORDER BY id, place
	ON CONFLICT DO NOTHING`

func (s *Store) insert(ctx context.Context, channel string, batch []message.Message) error {
	n := len(batch)
	ids, authors, contents := make([]int64, n), make([]string, n), make([]string, n)
	data, nonces, edited := make([][]byte, n), make([]string, n), make([]*time.Time, n)
	for i, m := range batch {
		if m.ID > math.MaxInt64 {
			return errID
		}
		ids[i], authors[i], contents[i] = int64(m.ID), m.Author, m.Content
		data[i], nonces[i], edited[i] = bytesOf(m), m.Nonce, editedOf(m)
	}
	return s.housed(ctx, batch, func() error {
		return retry(ctx, func() error {
			_, err := s.pool.Exec(ctx, insert, channel, ids, authors, contents, data, nonces, edited)
			return err
		})
	})
}

// bytesOf is Data as the table has it: never null.
func bytesOf(m message.Message) []byte {
	if m.Data == nil {
		return []byte{}
	}
	return m.Data
}

// editedOf is Edited as the table has it: null is never.
func editedOf(m message.Message) *time.Time {
	if m.Edited.IsZero() {
		return nil
	}
	return &m.Edited
}

// Page is of message.Store.
func (s *Store) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	return page(ctx, s.pool, channel, q)
}

const (
	fields  = `SELECT id, author, content, data, nonce, edited FROM gatehouse_messages WHERE channel = $1 AND id >= $2 AND id <= $3`
	newest  = fields + ` ORDER BY id DESC LIMIT $4`
	oldest  = fields + ` ORDER BY id LIMIT $4`
	highest = message.ID(math.MaxInt64)
)

// page reads from a primary or a replica.
func page(ctx context.Context, pool *pgxpool.Pool, channel string, q message.Query) ([]message.Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil || !text(channel) {
		return nil, wrap(ctx, "page", err)
	}
	part := func(statement string) func(span, int) ([]message.Message, error) {
		return func(s span, limit int) ([]message.Message, error) {
			return collect(ctx, pool, reader(channel), statement, channel, s.low, s.high, limit)
		}
	}
	now := monthOf(time.Now())
	upTo := func(id message.ID) ([]message.Message, error) {
		return walk(backwards(0, int64(min(id, highest)), now), q.Limit, part(newest))
	}
	behind := func(id message.ID) ([]message.Message, error) {
		if id >= highest {
			return nil, nil
		}
		return walk(forwards(int64(id+1), math.MaxInt64, now), q.Limit, part(oldest))
	}
	var list, more []message.Message
	var err error
	switch {
	case q.Before != 0:
		list, err = upTo(q.Before - 1)
	case q.After != 0:
		list, err = behind(q.After)
	case q.Around != 0:
		list, err = upTo(q.Around)
		if err == nil {
			more, err = behind(q.Around)
		}
	default:
		list, err = upTo(highest)
	}
	if err != nil {
		return nil, wrap(ctx, "page", err)
	}
	list = append(list, more...)
	slices.SortFunc(list, func(a, b message.Message) int { return cmp.Compare(a.ID, b.ID) })
	return q.Of(list), nil
}

// reader makes messages of rows.
func reader(channel string) pgx.RowToFunc[message.Message] {
	return func(row pgx.CollectableRow) (message.Message, error) {
		m := message.Message{Channel: channel}
		var id int64
		var edited *time.Time
		err := row.Scan(&id, &m.Author, &m.Content, &m.Data, &m.Nonce, &edited)
		m.ID = message.ID(id)
		if len(m.Data) == 0 {
			m.Data = nil
		}
		if edited != nil {
			m.Edited = edited.UTC()
		}
		return m, err
	}
}

// Edit is of message.Store.
func (s *Store) Edit(ctx context.Context, m message.Message) error {
	if err := ctx.Err(); err != nil {
		return wrap(ctx, "edit", err)
	}
	if !text(m.Channel) || m.ID > highest {
		return message.ErrNotFound
	}
	var found int64
	err := retry(ctx, func() error {
		tag, err := s.pool.Exec(ctx, `UPDATE gatehouse_messages SET content = $3, data = $4, edited = $5 WHERE channel = $1 AND id = $2`,
			m.Channel, int64(m.ID), m.Content, bytesOf(m), editedOf(m))
		found = tag.RowsAffected()
		return err
	})
	if err == nil && found == 0 {
		return message.ErrNotFound
	}
	return wrap(ctx, "edit", err)
}

// Delete is of message.Store.
func (s *Store) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	return s.remove(ctx, "delete", `DELETE FROM gatehouse_messages WHERE channel = $1 AND id = ANY($2) RETURNING id`, channel, ids)
}

// remove runs a statement that removes rows and returns their ids.
func (s *Store) remove(ctx context.Context, what, statement, channel string, ids []message.ID) ([]message.ID, error) {
	if err := ctx.Err(); err != nil || !text(channel) {
		return nil, wrap(ctx, what, err)
	}
	list := make([]int64, 0, len(ids))
	for _, id := range slices.Sorted(slices.Values(ids)) {
		if id <= highest {
			list = append(list, int64(id))
		}
	}
	removed, err := collect(ctx, s.pool, func(row pgx.CollectableRow) (message.ID, error) {
		var id int64
		err := row.Scan(&id)
		return message.ID(id), err
	}, statement, channel, list)
	slices.Sort(removed)
	return removed, wrap(ctx, what, err)
}

// text reports whether PostgreSQL can keep a text. What it cannot keep is not there.
func text(s string) bool { return utf8.ValidString(s) && !strings.Contains(s, "\x00") }
