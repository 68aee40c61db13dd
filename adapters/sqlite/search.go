package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"math"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// The words of a message stand in gatehouse_words, a full-text index without a copy of the text;
// whose they are, in gatehouse_indexed under the same number. That is the message's id, so that
// SQLite finds the newest first without sorting; where another channel has a message with that
// id, which a pipeline's ids do not allow, it is a number of its own, below 0.

// Add is of [message.Index]. What this store keeps is found already, by the words that it has
// here: only what is kept elsewhere need be added.
func (s *Store) Add(ctx context.Context, batch []message.Message) error {
	var missing []message.Message
	for _, m := range batch {
		var there bool
		if err := s.statements.kept.QueryRowContext(ctx, m.Channel, int64(m.ID)).Scan(&there); err != nil {
			return s.wrap(ctx, "add", err)
		}
		if !there {
			missing = append(missing, m)
		}
	}
	if len(missing) == 0 {
		return s.wrap(ctx, "add", ctx.Err())
	}
	return s.wrap(ctx, "add", s.transact(ctx, func(tx *sql.Tx) error { return s.index(ctx, tx, missing...) }))
}

// Remove is of [message.Index].
func (s *Store) Remove(ctx context.Context, channel string, ids ...message.ID) error {
	return s.wrap(ctx, "remove", s.transact(ctx, func(tx *sql.Tx) error { return s.unindex(ctx, tx, channel, ids) }))
}

// Search is of [message.Index].
func (s *Store) Search(ctx context.Context, in message.Search) ([]message.Hit, error) {
	words, err := in.Check()
	if err != nil {
		return nil, err
	}
	upTo := int64(math.MaxInt64)
	if in.Before != 0 {
		upTo = int64(in.Before) - 1
	}
	channels, _ := json.Marshal(in.Channels) // strings have no error
	rows, err := s.statements.search.QueryContext(ctx, `"`+strings.Join(words, `" "`)+`"`,
		upTo, int64(in.After), len(in.Channels) == 0, string(channels), in.Author, in.Limit)
	if err != nil {
		return nil, s.wrap(ctx, "search", err)
	}
	defer rows.Close()
	var hits []message.Hit
	for rows.Next() {
		var hit message.Hit
		var id int64
		if err := rows.Scan(&hit.Channel, &id); err != nil {
			return nil, s.wrap(ctx, "search", err)
		}
		hit.ID = message.ID(id)
		hits = append(hits, hit)
	}
	return hits, s.wrap(ctx, "search", rows.Err())
}

// index has messages found by the words of their content, and by no others. The words come last:
// any other statement in between would have SQLite write them out, message by message.
func (s *Store) index(ctx context.Context, tx *sql.Tx, batch ...message.Message) error {
	number, words := tx.StmtContext(ctx, s.statements.number), tx.StmtContext(ctx, s.statements.words)
	numbers := make([]int64, len(batch))
	for i, m := range batch {
		if err := number.QueryRowContext(ctx, int64(m.ID), m.Channel, m.Author).Scan(&numbers[i]); err != nil {
			return err
		}
	}
	for i, m := range batch {
		if err := put(ctx, words, numbers[i], m.Content); err != nil {
			return err
		}
	}
	return nil
}

func put(ctx context.Context, words *sql.Stmt, number int64, content string) error {
	_, err := words.ExecContext(ctx, number, strings.Join(message.Words(content), " "))
	return err
}

func (s *Store) unindex(ctx context.Context, tx *sql.Tx, channel string, ids []message.ID) error {
	const which = ` FROM gatehouse_indexed WHERE channel = ? AND id IN (SELECT value FROM json_each(?))`
	_, err := tx.ExecContext(ctx, `DELETE FROM gatehouse_words WHERE rowid IN (SELECT number`+which+`)`, channel, list(ids))
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE`+which, channel, list(ids))
	return err
}
