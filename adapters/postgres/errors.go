package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5/pgconn"
)

var (
	// ErrTooNew is returned by Open for tables that a newer version of this package has made.
	ErrTooNew = errors.New("the tables are of a newer version")

	// ErrReplica is returned, by Open, for a server that is read-only because it follows
	// another, and by the methods of a Replica for one that does not follow its Store.
	ErrReplica = errors.New("the server has another part in the replication")

	// ErrBehind is returned by the methods of a Replica that has started again and lacks
	// what it had: it has it soon.
	ErrBehind = errors.New("the replica lacks what it has had before")
)

// errID is a refusal: PostgreSQL has no unsigned integers.
var errID = errors.New("the id is above 2^63-1")

// wrap says what failed, and that the context has ended if it has: the driver does not always.
func wrap(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		err = fmt.Errorf("%w: %w", end, err)
	}
	return fmt.Errorf("postgres: %s: %w", what, err)
}

// code is the SQLSTATE of what the server said, if it said something.
func code(err error) string {
	var said *pgconn.PgError
	if errors.As(err, &said) {
		return said.Code
	}
	return ""
}

// refused reports whether the server would not take what it was given, however often: data that
// it cannot keep, a constraint that does not hold, a limit of its own.
func refused(err error) bool {
	c := code(err)
	return errors.Is(err, errID) || len(c) == 5 && slices.Contains([]string{"22", "23", "54"}, c[:2])
}

// homeless reports whether there was no partition for a row. A CHECK has the same code and a name.
func homeless(err error) bool {
	var said *pgconn.PgError
	return errors.As(err, &said) && said.Code == "23514" && said.ConstraintName == ""
}

// mostTries is how often a statement is run that the server ends for the sake of another.
const mostTries = 5

// retry runs a statement again that was the victim of a deadlock, of serialization, or on a
// replica of what came from the primary: it has done nothing.
func retry(ctx context.Context, do func() error) error {
	for try := 1; ; try++ {
		err := do()
		again := code(err) == "40001" || code(err) == "40P01"
		if !again || try == mostTries || ctx.Err() != nil {
			return err
		}
	}
}
