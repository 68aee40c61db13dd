package postgres

import (
	"context"
	"math"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Options configure a [Store]. The zero value works.
type Options struct {
	// MaxConns is the most connections at a time, of the Store and its Index together, and of
	// each Replica; 0: what the URL has as pool_max_conns, or else the number of processors,
	// and at least 4. A pipeline that stores many channels at a time uses more.
	MaxConns int
}

// Store is a database with messages, and a message.Store. Make it with [Open]; it is safe for
// concurrent use.
type Store struct {
	pool   *pgxpool.Pool
	opts   Options
	months months
}

// patience bounds what nobody waits for: connecting, and finding out that a connection is dead.
const patience = 5 * time.Second

// Open connects to the primary that a URL, or a libpq connection string, names, and makes or
// updates its tables. Only what Open does ends with ctx. The error is ErrReplica for a server
// that cannot be written to, and ErrTooNew for tables that this version does not know.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s, err := open(ctx, url, o)
	return s, wrap(ctx, "open", err)
}

func open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := configOf(url, o)
	if err != nil {
		return nil, err
	}
	// Not of a pool, which would have Open wait for a connection that it has begun.
	c, err := pgx.ConnectConfig(ctx, config.ConnConfig.Copy())
	if err != nil {
		return nil, err
	}
	defer c.Close(ctx)
	if err := prepare(ctx, c); err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	return &Store{pool: pool, opts: o}, nil
}

// configOf makes a pool's configuration of a URL.
func configOf(url string, o Options) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		return nil, err // it shows no password
	}
	if o.MaxConns > 0 {
		config.MaxConns = int32(min(o.MaxConns, math.MaxInt32))
	}
	if config.ConnConfig.ConnectTimeout <= 0 {
		config.ConnConfig.ConnectTimeout = patience
	}
	if config.PingTimeout <= 0 {
		config.PingTimeout = patience
	}
	return config, nil
}

// Close waits for the calls that are under way and closes the connections; up to 15 s for those
// that are dead. Methods called afterwards fail. It returns nil.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}
