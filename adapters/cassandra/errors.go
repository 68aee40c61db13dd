package cassandra

import (
	"context"
	"errors"
	"fmt"
)

var (
	// ErrKeyspace is returned by Open when the keyspace is not there.
	ErrKeyspace = errors.New("the keyspace does not exist")

	// ErrBucket is returned by Open for tables whose buckets have another length than Options says.
	ErrBucket = errors.New("the tables have buckets of another length")

	// ErrTooNew is returned by Open for tables that a newer version of this package has made.
	ErrTooNew = errors.New("the tables are of a newer version")

	// ErrContended is returned by Append and Delete when other processes have changed the
	// same messages again and again meanwhile. They may be called again.
	ErrContended = errors.New("other processes change the same messages")
)

// Refusals: what Cassandra would not keep.
var (
	errChannel = errors.New("cassandra: the name of the channel is empty, no UTF-8 or longer than 65,000 bytes")
	errID      = errors.New("cassandra: the id is above 2^63-1")
	errText    = errors.New("cassandra: the text is no UTF-8")
	errLarge   = errors.New("cassandra: the message is larger than 1 MB")
)

// wrap says what failed, and that the context has ended if it has: the driver does not always.
func wrap(ctx context.Context, what string, err error) error {
	if err == nil {
		return nil
	}
	if end := ctx.Err(); end != nil && !errors.Is(err, end) {
		err = fmt.Errorf("%w: %w", end, err)
	}
	return fmt.Errorf("cassandra: %s: %w", what, err)
}
