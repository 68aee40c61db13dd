package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
)

// A client that lost its connection cannot know whether a message arrived. It
// sends it again with the same nonce, and finds it under that nonce in history.

const (
	maxNonce   = 64 // bytes of JSON; a longer one is ignored
	keepNonces = 24 * time.Hour
)

// claim returns the id of the message that the author's nonce stands for: i,
// unless the nonce was claimed before. The error is sqlite.ErrNotFound if that
// message was deleted: it must not come back.
func (g guild) claim(ctx context.Context, author id, nonce string, i id) (id, error) {
	old := int64(i) - int64(keepNonces/time.Millisecond)<<22
	if _, err := g.db.ExecContext(ctx, `DELETE FROM chat_nonces WHERE message BETWEEN ? AND ?`, -old, old); err != nil {
		return 0, fmt.Errorf("forget nonces: %w", err)
	}
	var claimed int64
	err := g.db.QueryRowContext(ctx, `INSERT INTO chat_nonces (author, nonce, message) VALUES (?, ?, ?)
		ON CONFLICT DO UPDATE SET message = message RETURNING message`, int64(author), nonce, int64(i)).Scan(&claimed)
	if err != nil {
		return 0, fmt.Errorf("claim nonce: %w", err)
	}
	if claimed < 0 {
		return 0, sqlite.ErrNotFound
	}
	return id(claimed), nil
}

// nonces returns those of the author's messages in a page of history, by message.
func (g guild) nonces(ctx context.Context, author id, page []sqlite.Message) (map[uint64]json.RawMessage, error) {
	if len(page) == 0 {
		return nil, nil
	}
	rows, err := g.db.QueryContext(ctx, `SELECT message, nonce FROM chat_nonces WHERE author = ? AND message BETWEEN ? AND ?`,
		int64(author), int64(page[0].ID), int64(page[len(page)-1].ID))
	if err != nil {
		return nil, fmt.Errorf("nonces: %w", err)
	}
	defer rows.Close()
	found := map[uint64]json.RawMessage{}
	for rows.Next() {
		var message int64
		var nonce string
		if err := rows.Scan(&message, &nonce); err != nil {
			return nil, fmt.Errorf("nonces: %w", err)
		}
		found[uint64(message)] = json.RawMessage(nonce)
	}
	return found, rows.Err()
}
