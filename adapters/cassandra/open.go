package cassandra

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/apache/cassandra-gocql-driver/v2"
)

// Options configure a [Store]. The zero value works where the keyspace exists.
type Options struct {
	// Replicas, if set, has Open make the keyspace if it is not there, with so many copies of
	// everything in each data centre; 3 is what lets one node fail.
	Replicas int

	// Bucket is the span of time of a partition, an hour at least; 0: what the tables have,
	// and 10 days for new ones. A partition is best below 100 MB. It cannot be changed.
	Bucket time.Duration

	// TTL is how long after it was stored a message is forgotten, to the second; 0: it stays. It
	// holds for what is stored from now on, by this process; an edit does not prolong it.
	TTL time.Duration

	// Cluster, if set, changes how the driver connects: TLS, credentials, data centres. It
	// is given what Open has made of the URL. Consistency has to remain some QUORUM.
	Cluster func(*gocql.ClusterConfig)
}

// Store is a keyspace with messages, and a message.Store. Make it with [Open]; it is safe for
// concurrent use.
type Store struct {
	// Static after Open.
	session *gocql.Session
	cql     statements
	bucket  time.Duration
	ttl     int // seconds; 0: none

	known buckets
	turns turns
	stamp atomic.Int64 // the timestamp given last; guarded by nothing else
}

// longestTTL is Cassandra's own limit, in seconds: 20 years.
const longestTTL = 20 * 365 * 24 * 60 * 60

// Open connects to the cluster of a URL, cassandra://user:password@host:9042,host/keyspace, of which
// user, password and ports may be left out, and makes its tables if they are not there. One node
// that answers is enough to find the others, unless tables are to be made. Only what Open does
// ends with ctx. The error is ErrKeyspace, ErrBucket or ErrTooNew for what these say.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	s := &Store{ttl: secondsOf(o.TTL)}
	s.stamp.Store(1<<63 - 1)
	if err := s.open(ctx, url, o); err != nil {
		return nil, wrap(ctx, "open", err)
	}
	return s, nil
}

// secondsOf rounds up, to longestTTL at most.
func secondsOf(d time.Duration) int {
	d = min(max(0, d), longestTTL*time.Second)
	return int((d + time.Second - 1) / time.Second)
}

func (s *Store) open(ctx context.Context, url string, o Options) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	place, err := parse(url)
	if err != nil {
		return err
	}
	if o.Bucket != 0 && o.Bucket < time.Hour {
		return errors.New("Options.Bucket is less than an hour")
	}
	if s.session, err = connect(ctx, place, o); err != nil {
		return err
	}
	s.cql = statementsIn(place.keyspace)
	err = prepare(ctx, s.session, place.keyspace, o.Replicas)
	if err == nil {
		s.bucket, err = s.settle(ctx, place.keyspace, o.Bucket)
	}
	if err != nil {
		s.session.Close()
	}
	return err
}

// connect makes a session. The driver's constructor takes no context: it ends by itself when all
// connections that it tries have timed out, and nobody has to wait for that.
func connect(ctx context.Context, place address, o Options) (*gocql.Session, error) {
	config := gocql.NewCluster(place.hosts...)
	if place.port != 0 {
		config.Port = place.port
	}
	if place.user != "" {
		config.Authenticator = gocql.PasswordAuthenticator{Username: place.user, Password: place.password}
	}
	config.Consistency, config.SerialConsistency = gocql.Quorum, gocql.Serial
	config.ConnectTimeout = 5 * time.Second
	config.ReconnectInterval = time.Second // of a node that was down
	config.PoolConfig.HostSelectionPolicy = gocql.TokenAwareHostPolicy(gocql.RoundRobinHostPolicy())
	config.RetryPolicy = &gocql.SimpleRetryPolicy{NumRetries: 2} // on other nodes, of what is marked idempotent
	config.NextPagePrefetch = 0
	if o.Cluster != nil {
		o.Cluster(config)
	}
	type made struct {
		session *gocql.Session
		err     error
	}
	done := make(chan made, 1)
	go func() {
		session, err := config.CreateSession()
		done <- made{session, err}
	}()
	select {
	case m := <-done:
		return m.session, m.err
	case <-ctx.Done():
		go func() {
			if m := <-done; m.err == nil {
				m.session.Close()
			}
		}()
		return nil, ctx.Err()
	}
}

// Close closes the connections; what is under way fails, as do methods called afterwards. It
// returns nil.
func (s *Store) Close() error {
	s.session.Close()
	return nil
}
