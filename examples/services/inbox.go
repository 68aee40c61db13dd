package main

import (
	"context"
	"database/sql"

	_ "modernc.org/sqlite" // the driver

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// inbox is a file that stands for the push service of a phone: what it has, was sent.
type inbox struct{ db *sql.DB }

const inboxTables = `
	CREATE TABLE IF NOT EXISTS done (channel TEXT PRIMARY KEY, message INTEGER NOT NULL) STRICT;
	CREATE TABLE IF NOT EXISTS notifications (
		person TEXT NOT NULL, message INTEGER NOT NULL, author TEXT NOT NULL, content TEXT NOT NULL,
		held INTEGER NOT NULL, -- until it is known whether its person comes back
		PRIMARY KEY (person, message)
	) STRICT, WITHOUT ROWID`

func openInbox(ctx context.Context, path string) (*inbox, error) {
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=synchronous(NORMAL)&_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	if _, err := db.ExecContext(ctx, inboxTables); err != nil {
		db.Close()
		return nil, err
	}
	return &inbox{db}, nil
}

func (in *inbox) close() error { return in.db.Close() }

// notification is one that a person was sent.
type notification struct {
	Message message.ID `json:"message"`
	Author  string     `json:"author"`
	Content string     `json:"content"`
}

// recipient is who gets a notification, now or maybe later.
type recipient struct {
	name string
	held bool
}

// add sends a message to its recipients, once: the ids of a channel grow, so one that is not
// higher than the last has been dealt with.
func (in *inbox) add(ctx context.Context, m message.Message, to []recipient) error {
	tx, err := in.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	done, err := tx.ExecContext(ctx, `INSERT INTO done VALUES (?1, ?2) ON CONFLICT DO UPDATE SET message = ?2 WHERE message < ?2`, m.Channel, int64(m.ID))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return err
	}
	for _, r := range to {
		_, err := tx.ExecContext(ctx, `INSERT INTO notifications VALUES (?, ?, ?, ?, ?)`, r.name, int64(m.ID), m.Author, m.Content, r.held)
		if err != nil {
			return err
		}
	}
	return tx.Commit()
}

// held returns what waits for it to be known whether its people come back.
func (in *inbox) held(ctx context.Context) (waiting map[string][]message.ID, err error) {
	rows, err := in.db.QueryContext(ctx, `SELECT person, message FROM notifications WHERE held ORDER BY message`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	waiting = make(map[string][]message.ID)
	for rows.Next() {
		var name string
		var id int64
		if err := rows.Scan(&name, &id); err != nil {
			return nil, err
		}
		waiting[name] = append(waiting[name], message.ID(id))
	}
	return waiting, rows.Err()
}

// send sends what was held, and forget does not.
func (in *inbox) send(ctx context.Context, name string, id message.ID) error {
	_, err := in.db.ExecContext(ctx, `UPDATE notifications SET held = 0 WHERE person = ? AND message = ?`, name, int64(id))
	return err
}

func (in *inbox) forget(ctx context.Context, name string, id message.ID) error {
	_, err := in.db.ExecContext(ctx, `DELETE FROM notifications WHERE person = ? AND message = ? AND held`, name, int64(id))
	return err
}

// of returns the newest thousand that a person was sent, oldest first.
func (in *inbox) of(ctx context.Context, name string) (list []notification, err error) {
	rows, err := in.db.QueryContext(ctx, `SELECT * FROM (
		SELECT message, author, content FROM notifications WHERE person = ? AND NOT held ORDER BY message DESC LIMIT 1000
	) ORDER BY message`, name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var n notification
		var id int64
		if err := rows.Scan(&id, &n.Author, &n.Content); err != nil {
			return nil, err
		}
		n.Message = message.ID(id)
		list = append(list, n)
	}
	return list, rows.Err()
}
