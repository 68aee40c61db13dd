package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"

	driver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// One transaction at a time writes, and most of what it costs is its end. So those who come to
// Append while one is under way share the next: the more there are, the less each costs.

// appending is a batch on its way into the file, and who waits for it.
type appending struct {
	ctx     context.Context
	channel string
	batch   []message.Message
	done    chan error // takes one result
}

// maxGroup is how many messages share a transaction, or a few more: others wait for its end.
const maxGroup = 1000

// Append is of [message.Store]. The messages can be found from then on: see [Store.Search].
func (s *Store) Append(ctx context.Context, channel string, batch []message.Message) error {
	if err := ctx.Err(); err != nil || len(batch) == 0 {
		return s.wrap(ctx, "append", err)
	}
	a := &appending{ctx, channel, batch, make(chan error, 1)}
	select {
	case s.appends <- a:
	case <-s.closing.Done():
		return s.wrap(ctx, "append", message.ErrClosed)
	case <-ctx.Done():
		return s.wrap(ctx, "append", ctx.Err())
	}
	select {
	case err := <-a.done:
		return s.wrap(ctx, "append", err)
	case <-ctx.Done():
		return s.wrap(ctx, "append", ctx.Err())
	}
}

// writeGroups stores what comes, until the store is closed. Open starts it, Close waits for it.
func (s *Store) writeGroups() {
	defer close(s.written)
	for {
		select {
		case first := <-s.appends:
			s.commit(s.gather(first))
		case <-s.closing.Done():
			return
		}
	}
}

// gather returns those who are waiting by now.
func (s *Store) gather(first *appending) []*appending {
	group := []*appending{first}
	for n := len(first.batch); n < maxGroup; {
		select {
		case a := <-s.appends:
			if err := a.ctx.Err(); err != nil {
				a.done <- err
				continue
			}
			group = append(group, a)
			n += len(a.batch)
		default:
			return group
		}
	}
	return group
}

// commit stores a group, all of it or nothing but for what SQLite refuses, and tells everybody.
func (s *Store) commit(group []*appending) {
	refused := make([]error, len(group))
	ctx := context.Background() // of the statements: the driver has a goroutine for each that could be cancelled
	err := s.transact(s.closing, func(tx *sql.Tx) error {
		var added []message.Message
		for i, a := range group {
			partly := message.BatchError{}
			for j, m := range a.batch {
				m.Channel = a.channel
				isNew, err := s.insert(ctx, tx, m)
				if ofMessage(err) {
					partly[j], err = plain(err), nil
				}
				if err != nil {
					return err
				}
				if isNew {
					added = append(added, m)
				}
			}
			if len(partly) > 0 {
				refused[i] = partly
			}
		}
		return s.index(ctx, tx, added...)
	})
	for i, a := range group {
		a.done <- cmp.Or(err, refused[i])
	}
}

// insert reports whether the message was not there yet.
func (s *Store) insert(ctx context.Context, tx *sql.Tx, m message.Message) (isNew bool, err error) {
	res, err := tx.StmtContext(ctx, s.statements.insert).ExecContext(ctx, m.Channel, int64(m.ID), m.Author, m.Content, m.Data, m.Nonce, millis(m.Edited))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// ofMessage reports whether it is the message that cannot be stored: it is too large, or a trigger
// of the application's refuses it.
func ofMessage(err error) bool {
	failed, ok := errors.AsType[*driver.Error](err)
	if !ok {
		return false
	}
	code := failed.Code() & 0xff
	return code == sqlite3.SQLITE_TOOBIG || code == sqlite3.SQLITE_CONSTRAINT
}

// transact runs what is done all or not at all.
func (s *Store) transact(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := do(tx); err != nil {
		return err
	}
	return tx.Commit()
}
