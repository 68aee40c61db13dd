package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// There is one guild, and this is it.
const (
	guildID   id = 1
	guildName    = "Gatehouse"
	topic        = "guild:1" // what happens in it is published here
)

// schema are the tables of the chat's own, beside the messages.
var schema = []string{
	`CREATE TABLE IF NOT EXISTS chat_users (
		id     INTEGER PRIMARY KEY,
		name   TEXT    NOT NULL,
		joined INTEGER NOT NULL -- Unix microseconds
	) STRICT`,
	`CREATE TABLE IF NOT EXISTS chat_channels (
		id   INTEGER PRIMARY KEY,
		name TEXT    NOT NULL UNIQUE
	) STRICT`,
	`INSERT OR IGNORE INTO chat_channels (id, name) VALUES (2, 'general'), (3, 'random'), (4, 'help')`,
	`CREATE TABLE IF NOT EXISTS chat_nonces (
		author  INTEGER NOT NULL,
		nonce   TEXT    NOT NULL, -- JSON, as the client wrote it
		message INTEGER NOT NULL, -- below 0: it was deleted
		PRIMARY KEY (author, nonce)
	) STRICT, WITHOUT ROWID`,
	`CREATE INDEX IF NOT EXISTS chat_nonces_by_message ON chat_nonces (message)`,
	`CREATE TRIGGER IF NOT EXISTS chat_deleted AFTER DELETE ON gatehouse_messages BEGIN
		UPDATE chat_nonces SET message = -message WHERE message = OLD.id;
	END`,
}

// user is somebody who has ever signed in.
type user struct {
	id     id
	name   string
	joined time.Time
}

// channel is a place to talk.
type channel struct {
	id       id
	name     string
	position int
	last     id // its newest message
}

// guild is the database's view of who and what there is. It is safe for
// concurrent use: it holds nothing.
type guild struct{ db *sql.DB }

// enter returns the user, and whether they are here for the first time.
func (g guild) enter(ctx context.Context, i id, name string) (user, bool, error) {
	now := time.Now()
	res, err := g.db.ExecContext(ctx, `INSERT OR IGNORE INTO chat_users (id, name, joined) VALUES (?, ?, ?)`, int64(i), name, now.UnixMicro())
	if err != nil {
		return user{}, false, fmt.Errorf("enter: %w", err)
	}
	if n, _ := res.RowsAffected(); n == 1 {
		return user{i, name, time.UnixMicro(now.UnixMicro()).UTC()}, true, nil
	}
	u, err := g.user(ctx, i)
	return u, false, err
}

func (g guild) user(ctx context.Context, i id) (user, error) {
	u := user{id: i}
	var joined int64
	err := g.db.QueryRowContext(ctx, `SELECT name, joined FROM chat_users WHERE id = ?`, int64(i)).Scan(&u.name, &joined)
	u.joined = time.UnixMicro(joined).UTC()
	return u, err
}

// users returns everybody who has ever signed in, by name.
func (g guild) users(ctx context.Context) ([]user, error) {
	rows, err := g.db.QueryContext(ctx, `SELECT id, name, joined FROM chat_users ORDER BY name COLLATE NOCASE`)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	defer rows.Close()
	var all []user
	for rows.Next() {
		var u user
		var i, joined int64
		if err := rows.Scan(&i, &u.name, &joined); err != nil {
			return nil, fmt.Errorf("users: %w", err)
		}
		u.id, u.joined = id(i), time.UnixMicro(joined).UTC()
		all = append(all, u)
	}
	return all, rows.Err()
}

func (g guild) channels(ctx context.Context) ([]channel, error) {
	rows, err := g.db.QueryContext(ctx, `SELECT id, name, (SELECT coalesce(max(m.id), 0) FROM gatehouse_messages m WHERE m.channel = c.id)
		FROM chat_channels c ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	defer rows.Close()
	var all []channel
	for rows.Next() {
		c := channel{position: len(all)}
		var i, last int64
		if err := rows.Scan(&i, &c.name, &last); err != nil {
			return nil, fmt.Errorf("channels: %w", err)
		}
		c.id, c.last = id(i), id(last)
		all = append(all, c)
	}
	return all, rows.Err()
}

func (g guild) hasChannel(ctx context.Context, i id) (bool, error) {
	var n int
	err := g.db.QueryRowContext(ctx, `SELECT count(*) FROM chat_channels WHERE id = ?`, int64(i)).Scan(&n)
	return n > 0, err
}

var errTaken = errors.New("there is a channel of that name")

// create makes a channel. The error is errTaken if there is one of that name.
func (g guild) create(ctx context.Context, i id, name string) (channel, error) {
	_, err := g.db.ExecContext(ctx, `INSERT INTO chat_channels (id, name) VALUES (?, ?)`, int64(i), name)
	if err != nil && strings.Contains(err.Error(), "UNIQUE") {
		return channel{}, errTaken
	}
	if err != nil {
		return channel{}, fmt.Errorf("create channel: %w", err)
	}
	var n int
	err = g.db.QueryRowContext(ctx, `SELECT count(*) FROM chat_channels`).Scan(&n)
	return channel{id: i, name: name, position: n - 1}, err
}
