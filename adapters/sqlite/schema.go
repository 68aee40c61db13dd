package sqlite

import (
	"context"
	"database/sql"
	"fmt"
)

// migrations bring a file from version i to i+1 (PRAGMA user_version). Append
// only: what stands here has been run on files that exist.
var migrations = []string{
	`CREATE TABLE gatehouse_messages (
		id      INTEGER PRIMARY KEY,
		channel INTEGER NOT NULL,
		author  INTEGER NOT NULL,
		content TEXT    NOT NULL,
		edited  INTEGER NOT NULL DEFAULT 0 -- Unix microseconds; 0: never
	) STRICT;
	CREATE INDEX gatehouse_messages_by_channel ON gatehouse_messages (channel, id);`,

	// Nobody's triggers and views need be changed when no table is renamed.
	`CREATE TABLE gatehouse_old AS SELECT * FROM gatehouse_messages;
	DROP TABLE gatehouse_messages;
	CREATE TABLE gatehouse_messages (
		channel TEXT    NOT NULL,
		id      INTEGER NOT NULL,
		author  TEXT    NOT NULL,
		content TEXT    NOT NULL,
		data    BLOB,
		nonce   TEXT    NOT NULL DEFAULT '',
		edited  INTEGER NOT NULL DEFAULT 0, -- Unix milliseconds; 0: never
		PRIMARY KEY (channel, id)
	) STRICT, WITHOUT ROWID;
	INSERT INTO gatehouse_messages (channel, id, author, content, edited)
		SELECT channel, id, author, content, edited / 1000 FROM gatehouse_old;
	DROP TABLE gatehouse_old;
	CREATE TABLE gatehouse_indexed (
		number  INTEGER PRIMARY KEY, -- rowid in gatehouse_words
		channel TEXT    NOT NULL,
		id      INTEGER NOT NULL,
		author  TEXT    NOT NULL,
		UNIQUE (channel, id)
	) STRICT;
	INSERT INTO gatehouse_indexed SELECT id, channel, id, author FROM gatehouse_messages;
	-- Words are parted by spaces and in lower case when they come here: this tokenizer leaves
	-- them as they are.
	CREATE VIRTUAL TABLE gatehouse_words USING fts5 (words, content='', contentless_delete=1, detail='none', tokenize='ascii');`,
}

// indexedSince is the first version that has an index.
const indexedSince = 2

// prepare checks whose file it is and brings it up to date.
func (s *Store) prepare(ctx context.Context, o Options) error {
	var version, app, tables int
	err := s.write.QueryRowContext(ctx, `SELECT user_version, (SELECT application_id FROM pragma_application_id),
		(SELECT count(*) FROM sqlite_master) FROM pragma_user_version`).Scan(&version, &app, &tables)
	switch {
	case err != nil:
		return err
	case app != applicationID && tables > 0:
		return ErrForeign
	case version > len(migrations):
		return fmt.Errorf("%w: %d, this one knows %d", ErrTooNew, version, len(migrations))
	}
	if _, err := s.write.ExecContext(ctx, `PRAGMA journal_mode=WAL`); err != nil {
		return err
	}
	return s.transact(ctx, func(tx *sql.Tx) error { return s.upgrade(ctx, tx, o) })
}

func (s *Store) upgrade(ctx context.Context, tx *sql.Tx, o Options) error {
	var version int // as it is now that nobody else writes
	if err := tx.QueryRowContext(ctx, `PRAGMA user_version`).Scan(&version); err != nil {
		return err
	}
	for i := version; i < len(migrations); i++ {
		if _, err := tx.ExecContext(ctx, migrations[i]); err != nil {
			return fmt.Errorf("migration %d: %w", i+1, err)
		}
	}
	if version > 0 && version < indexedSince {
		if err := fillWords(ctx, tx); err != nil {
			return fmt.Errorf("words: %w", err)
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id=%d; PRAGMA user_version=%d`, applicationID, max(version, len(migrations))))
	if err != nil {
		return err
	}
	// What is damaged here is better said now; deeper, the method that meets it says so.
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT id FROM gatehouse_messages LIMIT 1)`).Scan(new(int)); err != nil {
		return err
	}
	for _, statement := range o.Schema {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("schema of the application: %w", err)
		}
	}
	return nil
}

// fillWords has every message found that was there before the index.
func fillWords(ctx context.Context, tx *sql.Tx) error {
	words, err := tx.PrepareContext(ctx, putWords)
	if err != nil {
		return err
	}
	rows, err := tx.QueryContext(ctx, `SELECT id, content FROM gatehouse_messages`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id int64
		var content string
		if err := rows.Scan(&id, &content); err != nil {
			return err
		}
		if err := put(ctx, words, id, content); err != nil {
			return err
		}
	}
	return rows.Err()
}
