package postgres

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
)

// Replica reads from a server that follows the one of its [Store] by streaming replication, and is a
// message.Replica for message.NewReplicated. Make it with [Store.Replica]; it is safe for concurrent use.
type Replica struct {
	primary *Store
	pool    *pgxpool.Pool

	mu       sync.Mutex
	trail    trail
	system   int64 // the primary's identifier; 0: not known yet
	furthest int64 // the place that it had reached when somebody was told
}

// Replica returns a replica of the store. It does not connect yet: one that is down is left out
// by message.NewReplicated until it is up. The URL names one server, not a choice of several: their
// lags differ.
func (s *Store) Replica(url string) (*Replica, error) {
	r := &Replica{primary: s}
	config, err := configOf(url, s.opts)
	if err == nil {
		config.AfterConnect = r.first
		r.pool, err = pgxpool.NewWithConfig(context.Background(), config)
	}
	if err != nil {
		return nil, wrap(context.Background(), "replica", err)
	}
	return r, nil
}

// Close closes its connections, as that of the Store does; the Store stays open. It returns nil.
func (r *Replica) Close() error {
	r.pool.Close()
	return nil
}

// Page is of message.Store, as of the replica.
func (r *Replica) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	return page(ctx, r.pool, channel, q)
}

// unknown is the lag of a replica of which nothing is known.
const unknown = 100 * 365 * 24 * time.Hour

// Lag is of message.Replica. It notes where the primary's log is now, and returns how long ago the
// primary was where the replica is now, or shortly behind that; 100 years if that was before
// it was first asked. While the primary does not answer it grows. The error is ErrReplica for a
// server that is none, or none of this primary. Where a primary was replaced by one of its replicas,
// others are unknown until they have written a checkpoint (checkpoint_timeout, 5 minutes by default),
// because until then they do not tell whom they follow.
//
// It needs no rights but those to connect.
func (r *Replica) Lag(ctx context.Context) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, wrap(ctx, "lag", err)
	}
	called := time.Now()
	r.look(ctx, called)
	var at time.Time
	known := false
	err := r.check(ctx, r.pool, func(s state) {
		r.furthest = max(r.furthest, s.place)
		at, known = r.trail.reached(s.timeline, s.place)
	})
	switch {
	case err != nil:
		return 0, wrap(ctx, "lag", err)
	case !known:
		return unknown, nil
	}
	return max(0, called.Sub(at)), nil
}

// look asks the primary where its log is. Without an answer there is no new mark, which is no error:
// the replica is no worse for it. It leaves half of the time to ask the replica.
func (r *Replica) look(ctx context.Context, at time.Time) {
	within := patience
	if end, ends := ctx.Deadline(); ends {
		within = time.Until(end) / 2
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	var system, timeline, place int64
	// Inserted, not written or flushed: a commit that does not wait for the disk is seen before it is there.
	err := r.primary.pool.QueryRow(ctx, `SELECT system_identifier, ('x' || left(pg_walfile_name(place), 8))::bit(32)::bigint, (place - '0/0')::bigint
		FROM pg_control_system(), pg_current_wal_insert_lsn() AS place`).Scan(&system, &timeline, &place)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.system = system
	r.trail.add(timeline, mark{at, place})
}

// state is what a replica says of itself.
type state struct {
	system, timeline, place int64
	replica                 bool
}

// asker is a pool or a connection.
type asker interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// check asks the replica for its state, and shows it to see, with mu held, if all is well.
func (r *Replica) check(ctx context.Context, of asker, see func(state)) error {
	r.mu.Lock()
	least := r.furthest
	r.mu.Unlock()
	var s state
	err := retry(ctx, func() error {
		return of.QueryRow(ctx, `SELECT system_identifier, timeline_id::bigint, coalesce(pg_last_wal_replay_lsn() - '0/0', 0)::bigint, pg_is_in_recovery()
			FROM pg_control_system(), pg_control_checkpoint()`).Scan(&s.system, &s.timeline, &s.place, &s.replica)
	})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case !s.replica:
		return fmt.Errorf("%w: it is no replica", ErrReplica)
	case r.system != 0 && s.system != r.system:
		return fmt.Errorf("%w: it follows another primary", ErrReplica)
	case s.place < least:
		return ErrBehind
	}
	see(s)
	return nil
}

// first sees each new connection: after a restart a replica may be behind what it had applied before,
// and pages must not go back.
func (r *Replica) first(ctx context.Context, c *pgx.Conn) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	return r.check(ctx, c, func(state) {})
}
