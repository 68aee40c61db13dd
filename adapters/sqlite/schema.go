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
}

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
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	if err := migrate(ctx, tx, version); err != nil {
		return err
	}
	// What is damaged here is better said now; deeper, the method that meets it says so.
	if err := tx.QueryRowContext(ctx, `SELECT count(*) FROM (SELECT id FROM gatehouse_messages ORDER BY id DESC LIMIT 1)`).Scan(new(int)); err != nil {
		return err
	}
	for _, statement := range o.Schema {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("schema of the application: %w", err)
		}
	}
	return tx.Commit()
}

func migrate(ctx context.Context, tx *sql.Tx, version int) error {
	for i, statements := range migrations[version:] {
		if _, err := tx.ExecContext(ctx, statements); err != nil {
			return fmt.Errorf("migration %d: %w", version+i+1, err)
		}
	}
	_, err := tx.ExecContext(ctx, fmt.Sprintf(`PRAGMA application_id=%d; PRAGMA user_version=%d`, applicationID, len(migrations)))
	return err
}
