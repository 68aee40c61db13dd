package cassandra

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// version is that of the tables.
const version = 1

// defaultBucket is the span of a partition.
const defaultBucket = 10 * 24 * time.Hour

// tables by their names, to be made in a keyspace. No column is ever null in a row that is whole:
// a null would be a tombstone.
var tables = map[string]string{
	"gatehouse_settings": `CREATE TABLE IF NOT EXISTS %q.gatehouse_settings (
		id int PRIMARY KEY, -- 0
		version int,
		bucket bigint -- milliseconds
	)`,
	"gatehouse_buckets": `CREATE TABLE IF NOT EXISTS %q.gatehouse_buckets (
		channel text,
		bucket int, -- spans since message.Epoch
		PRIMARY KEY (channel, bucket)
	) WITH CLUSTERING ORDER BY (bucket DESC)`,
	"gatehouse_messages": `CREATE TABLE IF NOT EXISTS %q.gatehouse_messages (
		channel text,
		bucket int,
		id bigint,
		author text,
		content text,
		data blob,
		nonce text,
		edited timestamp, -- the zero time of Go: never
		PRIMARY KEY ((channel, bucket), id)
	) WITH CLUSTERING ORDER BY (id DESC)`,
}

// prepare makes what is missing.
func prepare(ctx context.Context, session *gocql.Session, keyspace string, replicas int) error {
	keyspaces, err := names(ctx, session.Query(`SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?`, keyspace))
	if err != nil {
		return err
	}
	if len(keyspaces) == 0 {
		if replicas <= 0 {
			return fmt.Errorf("%w: make %q, or have Open make it with Options.Replicas", ErrKeyspace, keyspace)
		}
		if err := define(ctx, session, fmt.Sprintf(
			`CREATE KEYSPACE IF NOT EXISTS %q WITH replication = {'class': 'NetworkTopologyStrategy', 'replication_factor': %d}`,
			keyspace, replicas)); err != nil {
			return err
		}
	}
	have, err := names(ctx, session.Query(`SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?`, keyspace))
	if err != nil {
		return err
	}
	for name, statement := range tables {
		if slices.Contains(have, name) {
			continue
		}
		if err := define(ctx, session, fmt.Sprintf(statement, keyspace)); err != nil {
			return err
		}
	}
	return nil
}

// names reads what a node knows of the schema.
func names(ctx context.Context, q *gocql.Query) (list []string, err error) {
	iter := q.Consistency(gocql.One).Idempotent(true).IterContext(ctx)
	for name := ""; iter.Scan(&name); {
		list = append(list, name)
	}
	return list, iter.Close()
}

// define changes the schema, and waits until all nodes agree. Two nodes that make the same table at
// the same time make two, of which one breaks the other: so every process asks the same node, that
// with the lowest id, if it answers.
func define(ctx context.Context, session *gocql.Session, statement string) error {
	hosts := session.GetHosts()
	slices.SortFunc(hosts, func(a, b *gocql.HostInfo) int { return cmp.Compare(a.HostID(), b.HostID()) })
	err := errors.New("there is no node")
	for _, host := range hosts {
		if err = session.Query(statement).SetHostID(host.HostID()).ExecContext(ctx); err == nil || ctx.Err() != nil {
			return err
		}
	}
	return err
}

// known waits until every node that is up and answers has all tables in use. That their versions of the
// schema agree is not enough, some may not have heard yet that there is a newer one; nor that a node
// lists a table, which it does a moment before it has it.
func known(ctx context.Context, session *gocql.Session, keyspace string) error {
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for _, host := range session.GetHosts() {
		for name := range tables {
			look := fmt.Sprintf(`SELECT * FROM %q.%s LIMIT 1`, keyspace, name)
			for host.IsUp() && unknown(session.Query(look).SetHostID(host.HostID()).Consistency(gocql.One).ExecContext(ctx)) {
				select {
				case <-tick.C:
				case <-ctx.Done():
				}
			}
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// unknown reports whether a statement failed because a node does not know a table yet.
func unknown(err error) bool {
	var refusal gocql.RequestError
	return errors.As(err, &refusal) && (refusal.Code() == gocql.ErrCodeInvalid || refusal.Code() == gocql.ErrCodeReadFailure)
}

// settle returns the length of the buckets, which whoever comes first decides. He has waited until all
// nodes know all tables, whoever of several has made them: so nobody else needs to.
func (s *Store) settle(ctx context.Context, keyspace string, want time.Duration) (time.Duration, error) {
	v, ms, err := s.settings(ctx)
	if errors.Is(err, gocql.ErrNotFound) || unknown(err) {
		if err := known(ctx, s.session, keyspace); err != nil {
			return 0, err
		}
		v, ms, err = s.settings(ctx)
	}
	if errors.Is(err, gocql.ErrNotFound) {
		err = s.session.Query(s.cql.settle, version, cmp.Or(want, defaultBucket).Milliseconds()).Idempotent(true).ExecContext(ctx)
		if err == nil {
			v, ms, err = s.settings(ctx)
		}
	}
	have := time.Duration(ms) * time.Millisecond
	switch {
	case err != nil:
		return 0, err
	case v > version:
		return 0, fmt.Errorf("%w: %d, this one knows %d", ErrTooNew, v, version)
	case have < time.Hour || want != 0 && want.Milliseconds() != ms:
		return 0, fmt.Errorf("%w: %v", ErrBucket, have)
	}
	return have, nil
}

func (s *Store) settings(ctx context.Context) (v int, ms int64, err error) {
	err = s.session.Query(s.cql.settings).Idempotent(true).ScanContext(ctx, &v, &ms)
	return v, ms, err
}
