package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
)

// Message is what somebody said in a channel. Ids are up to the application;
// History orders by them, so let them grow with time (snowflakes do). They are
// below 2^63.
type Message struct {
	ID      uint64
	Channel uint64
	Author  uint64
	Content string
	Edited  time.Time // to the microsecond; zero: never
}

// Append keeps new messages, all of them or none, in one transaction: many at
// once cost little more than one. The error is ErrExists if an id is taken.
func (s *Store) Append(ctx context.Context, messages ...Message) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return wrap("append", err)
	}
	defer tx.Rollback()
	for _, m := range messages {
		_, err := tx.ExecContext(ctx, `INSERT INTO gatehouse_messages (id, channel, author, content, edited) VALUES (?, ?, ?, ?, ?)`,
			int64(m.ID), int64(m.Channel), int64(m.Author), m.Content, micros(m.Edited))
		if err != nil && strings.Contains(err.Error(), "UNIQUE constraint") {
			return fmt.Errorf("%w: %d", ErrExists, m.ID)
		}
		if err != nil {
			return wrap("append", err)
		}
	}
	return wrap("append", tx.Commit())
}

// Get returns a message. The error is ErrNotFound if it is not in the channel.
func (s *Store) Get(ctx context.Context, channel, id uint64) (Message, error) {
	m := Message{ID: id, Channel: channel}
	var author, edited int64
	err := s.read.QueryRowContext(ctx, `SELECT author, content, edited FROM gatehouse_messages WHERE id = ? AND channel = ?`,
		int64(id), int64(channel)).Scan(&author, &m.Content, &edited)
	if errors.Is(err, sql.ErrNoRows) {
		return Message{}, ErrNotFound
	}
	m.Author, m.Edited = uint64(author), fromMicros(edited)
	return m, wrap("get", err)
}

// History returns the newest messages of a channel with ids below before, at
// most limit, oldest first. before 0 means from the end.
func (s *Store) History(ctx context.Context, channel, before uint64, limit int) ([]Message, error) {
	end := int64(before)
	if before == 0 {
		end = 1<<63 - 1
	}
	page, err := s.page(ctx, channel, `id < ? ORDER BY id DESC`, end, limit)
	slices.Reverse(page)
	return page, wrap("history", err)
}

// After returns the oldest messages of a channel with ids above after, at most
// limit, oldest first.
func (s *Store) After(ctx context.Context, channel, after uint64, limit int) ([]Message, error) {
	page, err := s.page(ctx, channel, `id > ? ORDER BY id`, int64(after), limit)
	return page, wrap("after", err)
}

func (s *Store) page(ctx context.Context, channel uint64, which string, bound int64, limit int) ([]Message, error) {
	rows, err := s.read.QueryContext(ctx, `SELECT id, author, content, edited FROM gatehouse_messages
		WHERE channel = ? AND `+which+` LIMIT ?`, int64(channel), bound, max(limit, 0))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []Message
	for rows.Next() {
		var id, author, edited int64
		m := Message{Channel: channel}
		if err := rows.Scan(&id, &author, &m.Content, &edited); err != nil {
			return nil, err
		}
		m.ID, m.Author, m.Edited = uint64(id), uint64(author), fromMicros(edited)
		page = append(page, m)
	}
	return page, rows.Err()
}

// Edit replaces the content of a message. The error is ErrNotFound if it is
// not in the channel.
func (s *Store) Edit(ctx context.Context, channel, id uint64, content string, at time.Time) error {
	return s.one(ctx, "edit", `UPDATE gatehouse_messages SET content = ?, edited = ? WHERE id = ? AND channel = ?`,
		content, micros(at), int64(id), int64(channel))
}

// Delete forgets a message. The error is ErrNotFound if it is not in the channel.
func (s *Store) Delete(ctx context.Context, channel, id uint64) error {
	return s.one(ctx, "delete", `DELETE FROM gatehouse_messages WHERE id = ? AND channel = ?`, int64(id), int64(channel))
}

// LastID returns the highest id of all messages, 0 if there are none.
func (s *Store) LastID(ctx context.Context) (uint64, error) {
	var id int64
	err := s.read.QueryRowContext(ctx, `SELECT coalesce(max(id), 0) FROM gatehouse_messages`).Scan(&id)
	return uint64(id), wrap("last id", err)
}

// one runs a statement that concerns exactly one message.
func (s *Store) one(ctx context.Context, what, statement string, args ...any) error {
	res, err := s.write.ExecContext(ctx, statement, args...)
	if err != nil {
		return wrap(what, err)
	}
	if n, err := res.RowsAffected(); err != nil || n == 0 {
		return errors.Join(ErrNotFound, err)
	}
	return nil
}

func wrap(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sqlite: %s: %w", what, plain(err))
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func fromMicros(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.UnixMicro(n).UTC()
}
