package postgres

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// migrations bring tables from version i to i+1. Append only: what stands here has been run on
// databases that exist.
var migrations = []string{
	`CREATE TABLE gatehouse_messages (
		id      bigint NOT NULL,
		edited  timestamptz, -- null: never
		channel text COLLATE "C" NOT NULL,
		author  text  NOT NULL,
		content text  NOT NULL,
		data    bytea NOT NULL,
		nonce   text  NOT NULL,
		PRIMARY KEY (channel, id)
	) PARTITION BY RANGE (id);
	CREATE TABLE gatehouse_words (
		id      bigint NOT NULL,
		channel text COLLATE "C" NOT NULL,
		author  text NOT NULL,
		words   tsvector NOT NULL, -- and the channel, behind a #
		PRIMARY KEY (channel, id)
	) PARTITION BY RANGE (id);
	CREATE INDEX gatehouse_words_by_word ON gatehouse_words USING gin (words);`,
}

// prepare looks at the server that a connection leads to and brings its tables up to date.
func prepare(ctx context.Context, c *pgx.Conn) error {
	var encoding string
	var replica bool
	err := c.QueryRow(ctx, `SELECT current_setting('server_encoding'), pg_is_in_recovery()`).Scan(&encoding, &replica)
	switch {
	case err != nil:
		return err
	case replica:
		return fmt.Errorf("%w: it is a replica", ErrReplica)
	case encoding != "UTF8":
		return fmt.Errorf("the database's encoding is %s, not UTF8", encoding)
	}
	return alone(ctx, c, func(tx pgx.Tx) error {
		if err := migrate(ctx, tx); err != nil {
			return err
		}
		now := monthOf(time.Now())
		return makeMonths(ctx, tx, []month{now, now + 1})
	})
}

// onlyOne is the advisory lock of whoever changes tables: "gatehous" in ASCII.
const onlyOne = 0x67617465686f7573

// beginner is a connection or a pool.
type beginner interface {
	BeginTx(ctx context.Context, o pgx.TxOptions) (pgx.Tx, error)
}

// alone does something in a transaction, while no other process changes tables of ours.
func alone(ctx context.Context, on beginner, do func(pgx.Tx) error) error {
	o := pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}
	return retry(ctx, func() error {
		return pgx.BeginTxFunc(ctx, on, o, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(onlyOne)); err != nil {
				return err
			}
			return do(tx)
		})
	})
}

// migrate makes what is missing. Without something to make it needs no more than SELECT.
func migrate(ctx context.Context, tx pgx.Tx) error {
	var there bool
	if err := tx.QueryRow(ctx, `SELECT to_regclass('gatehouse_version') IS NOT NULL`).Scan(&there); err != nil {
		return err
	}
	if !there {
		if _, err := tx.Exec(ctx, `CREATE TABLE gatehouse_version (version int NOT NULL)`); err != nil {
			return err
		}
	}
	version := 0
	err := tx.QueryRow(ctx, `SELECT version FROM gatehouse_version`).Scan(&version)
	switch {
	case err != nil && !errors.Is(err, pgx.ErrNoRows):
		return err
	case version > len(migrations):
		return fmt.Errorf("%w: %d, this one knows %d", ErrTooNew, version, len(migrations))
	case version == len(migrations):
		return nil
	}
	for i, statements := range migrations[version:] {
		if _, err := tx.Exec(ctx, statements); err != nil {
			return fmt.Errorf("migration %d: %w", version+i+1, err)
		}
	}
	_, err = tx.Exec(ctx, fmt.Sprintf(`DELETE FROM gatehouse_version; INSERT INTO gatehouse_version VALUES (%d)`, len(migrations)))
	return err
}
