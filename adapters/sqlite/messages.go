package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Page is of [message.Store].
func (s *Store) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	// So many with ids up to one, and so many with ids above another.
	upTo, older, above, newer := int64(math.MaxInt64), q.Limit, int64(math.MaxInt64), 0
	switch {
	case q.Before != 0:
		upTo = int64(q.Before) - 1
	case q.After != 0:
		older, above, newer = 0, int64(q.After), q.Limit
	case q.Around != 0:
		upTo, above, newer = int64(q.Around), int64(q.Around), q.Limit
	}
	rows, err := s.statements.page.QueryContext(ctx, channel, upTo, older, above, newer)
	if err != nil {
		return nil, s.wrap(ctx, "page", err)
	}
	defer rows.Close()
	var page []message.Message
	for rows.Next() {
		var id, edited int64
		m := message.Message{Channel: channel}
		if err := rows.Scan(&id, &m.Author, &m.Content, &m.Data, &m.Nonce, &edited); err != nil {
			return nil, s.wrap(ctx, "page", err)
		}
		m.ID, m.Edited = message.ID(id), fromMillis(edited)
		page = append(page, m)
	}
	if err := rows.Err(); err != nil {
		return nil, s.wrap(ctx, "page", err)
	}
	slices.SortFunc(page, func(a, b message.Message) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return q.Of(page), nil
}

// Edit is of [message.Store]. The message is found by its new words from then on.
func (s *Store) Edit(ctx context.Context, m message.Message) error {
	err := s.transact(ctx, func(tx *sql.Tx) error {
		err := tx.QueryRowContext(ctx, `UPDATE gatehouse_messages SET content = ?, data = ?, edited = ? WHERE channel = ? AND id = ?
			RETURNING author`, m.Content, m.Data, millis(m.Edited), m.Channel, int64(m.ID)).Scan(&m.Author)
		if errors.Is(err, sql.ErrNoRows) {
			return message.ErrNotFound
		}
		if err != nil {
			return err
		}
		return s.index(ctx, tx, m)
	})
	return s.wrap(ctx, "edit", err)
}

// Delete is of [message.Store]. The messages are found no more.
func (s *Store) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	var deleted []message.ID
	err := s.transact(ctx, func(tx *sql.Tx) error {
		rows, err := tx.QueryContext(ctx, `DELETE FROM gatehouse_messages WHERE channel = ? AND id IN (SELECT value FROM json_each(?))
			RETURNING id`, channel, list(ids))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			deleted = append(deleted, message.ID(id))
		}
		if err := errors.Join(rows.Err(), rows.Close()); err != nil {
			return err
		}
		return s.unindex(ctx, tx, channel, ids)
	})
	if err != nil {
		return nil, s.wrap(ctx, "delete", err)
	}
	slices.Sort(deleted)
	return deleted, nil
}

// list is ids as a parameter of a statement, which json_each takes apart.
func list(ids []message.ID) string {
	numbers := make([]uint64, len(ids))
	for i, id := range ids {
		numbers[i] = uint64(id)
	}
	text, _ := json.Marshal(numbers) // numbers have no error
	return string(text)
}

// wrap says what was done when an error came, and what it means.
func (s *Store) wrap(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if partly := (message.BatchError)(nil); errors.As(err, &partly) {
		return partly
	}
	if ended := ctx.Err(); ended != nil {
		err = ended
	} else if s.closing.Err() != nil {
		err = message.ErrClosed
	}
	return fmt.Errorf("sqlite: %s: %w", what, plain(err))
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMillis(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMilli(n).UTC()
}
