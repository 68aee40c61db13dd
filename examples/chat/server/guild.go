package server

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
	`CREATE TABLE IF NOT EXISTS chat_bots (id INTEGER PRIMARY KEY) STRICT`,
	`CREATE TABLE IF NOT EXISTS chat_reactions (
		number  INTEGER PRIMARY KEY, -- in the order in which they came
		message INTEGER NOT NULL,
		emoji   TEXT    NOT NULL,
		user    INTEGER NOT NULL,
		UNIQUE (message, emoji, user)
	) STRICT`,
	`CREATE TABLE IF NOT EXISTS chat_read (
		user    INTEGER NOT NULL,
		channel INTEGER NOT NULL,
		message INTEGER NOT NULL, -- up to which they have read
		PRIMARY KEY (user, channel)
	) STRICT, WITHOUT ROWID`,
}

// user is somebody who has ever signed in.
type user struct {
	id     id
	name   string
	joined time.Time
	bot    bool
}

// channel is a place to talk.
type channel struct {
	id       id
	name     string
	position int
	last     id // its newest message; 0: none
}

// guild is the database's view of who and what there is. It is safe for
// concurrent use: it holds nothing.
type guild struct{ db *sql.DB }

// enter returns the user, and whether they are here for the first time. Who has
// come as a bot once is one.
func (g guild) enter(ctx context.Context, i id, name string, bot bool) (user, bool, error) {
	u, err := g.user(ctx, i)
	isNew := errors.Is(err, sql.ErrNoRows)
	if isNew {
		isNew, err = g.add(ctx, i, name)
	}
	if err == nil && bot && !u.bot {
		_, err = g.db.ExecContext(ctx, `INSERT OR IGNORE INTO chat_bots (id) VALUES (?)`, int64(i))
	} else if err == nil && !isNew {
		return u, false, nil
	}
	if err != nil {
		return user{}, false, fmt.Errorf("enter: %w", err)
	}
	u, err = g.user(ctx, i)
	return u, isNew, err
}

// add reports whether the user was not there yet.
func (g guild) add(ctx context.Context, i id, name string) (bool, error) {
	res, err := g.db.ExecContext(ctx, `INSERT OR IGNORE INTO chat_users (id, name, joined) VALUES (?, ?, ?)`, int64(i), name, time.Now().UnixMicro())
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// user returns one user. The error is sql.ErrNoRows if there is none.
func (g guild) user(ctx context.Context, i id) (user, error) {
	found, err := g.selectUsers(ctx, `WHERE id = ?`, int64(i))
	if err == nil && len(found) == 0 {
		err = sql.ErrNoRows
	}
	if err != nil {
		return user{}, err
	}
	return found[0], nil
}

// users returns everybody who has ever signed in, by name.
func (g guild) users(ctx context.Context) ([]user, error) {
	return g.selectUsers(ctx, `ORDER BY name COLLATE NOCASE`)
}

// members returns users by id, from behind after.
func (g guild) members(ctx context.Context, after id, limit int) ([]user, error) {
	return g.selectUsers(ctx, `WHERE id > ? ORDER BY id LIMIT ?`, int64(after), limit)
}

// named returns users whose names begin so, in whatever case.
func (g guild) named(ctx context.Context, start string, limit int) ([]user, error) {
	return g.selectUsers(ctx, `WHERE lower(substr(name, 1, length(?1))) = lower(?1) ORDER BY name COLLATE NOCASE LIMIT ?2`, start, limit)
}

// withIDs returns those users that there are, by name.
func (g guild) withIDs(ctx context.Context, ids []id) ([]user, error) {
	return g.selectUsers(ctx, `WHERE id IN (SELECT value FROM json_each(?)) ORDER BY name COLLATE NOCASE`, list(ids))
}

func (g guild) selectUsers(ctx context.Context, which string, args ...any) ([]user, error) {
	rows, err := g.db.QueryContext(ctx, `SELECT id, name, joined, id IN (SELECT id FROM chat_bots) FROM chat_users `+which, args...)
	if err != nil {
		return nil, fmt.Errorf("users: %w", err)
	}
	defer rows.Close()
	var all []user
	for rows.Next() {
		var u user
		var i, joined int64
		if err := rows.Scan(&i, &u.name, &joined, &u.bot); err != nil {
			return nil, fmt.Errorf("users: %w", err)
		}
		u.id, u.joined = id(i), time.UnixMicro(joined).UTC()
		all = append(all, u)
	}
	return all, rows.Err()
}

// channels returns all, without their newest messages.
func (g guild) channels(ctx context.Context) ([]channel, error) {
	rows, err := g.db.QueryContext(ctx, `SELECT id, name FROM chat_channels ORDER BY id`)
	if err != nil {
		return nil, fmt.Errorf("channels: %w", err)
	}
	defer rows.Close()
	var all []channel
	for rows.Next() {
		c := channel{position: len(all)}
		var i int64
		if err := rows.Scan(&i, &c.name); err != nil {
			return nil, fmt.Errorf("channels: %w", err)
		}
		c.id = id(i)
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
