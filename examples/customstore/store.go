package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// posts is the application's own table as a message.Store: (room, id, post), a post being JSON.
type posts struct{ db *sql.DB }

func (p posts) Append(ctx context.Context, room string, batch []message.Message) error {
	all, err := json.Marshal(batch)
	if err == nil {
		_, err = p.db.ExecContext(ctx, `INSERT INTO posts SELECT ?, value->>'id', value FROM json_each(?) WHERE type = 'object' ON CONFLICT DO NOTHING`, room, all)
	}
	return err
}

func (p posts) Page(ctx context.Context, room string, q message.Query) (page []message.Message, err error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	from, to := q.After+q.Around, q.Before+q.Around // at most one of the three is there
	if to == 0 && q.After == 0 {
		to = 1<<63 - 1
	}
	var all []byte // up to an id, and from an id on, as many as can be wanted; Of chooses
	err = p.db.QueryRowContext(ctx, `SELECT json_group_array(json(post) ORDER BY id) FROM (
		SELECT * FROM (SELECT id, post FROM posts WHERE room = ?1 AND id <= ?2 ORDER BY id DESC LIMIT 1 + ?4) UNION
		SELECT * FROM (SELECT id, post FROM posts WHERE room = ?1 AND id > ?3 AND ?3 > 0 ORDER BY id LIMIT ?4))`,
		room, int64(to), int64(from), q.Limit).Scan(&all)
	if err == nil {
		err = json.Unmarshal(all, &page)
	}
	return q.Of(page), err
}

func (p posts) Edit(ctx context.Context, m message.Message) error {
	change, err := json.Marshal(map[string]any{"content": m.Content, "data": m.Data, "edited": m.Edited})
	if err == nil {
		err = p.db.QueryRowContext(ctx, `UPDATE posts SET post = json_patch(post, ?) WHERE room = ? AND id = ? RETURNING 1`,
			change, m.Channel, int64(m.ID)).Scan(new(int))
	}
	if errors.Is(err, sql.ErrNoRows) {
		return message.ErrNotFound
	}
	return err
}

func (p posts) Delete(ctx context.Context, room string, ids ...message.ID) (deleted []message.ID, err error) {
	for _, id := range slices.Sorted(slices.Values(ids)) {
		err = p.db.QueryRowContext(ctx, `DELETE FROM posts WHERE room = ? AND id = ? RETURNING id`, room, int64(id)).Scan(&id)
		if err == nil {
			deleted = append(deleted, id)
		} else if !errors.Is(err, sql.ErrNoRows) {
			return deleted, err
		}
	}
	return deleted, nil
}
