// Package redis has what gatehouse keeps in Redis: a message.Queue on streams, and [Invalidations],
// by which nodes tell each other to forget what they have cached.
//
//	client := goredis.NewUniversalClient(&goredis.UniversalOptions{
//		Addrs:                 []string{"localhost:6379"}, // of a cluster, several
//		ContextTimeoutEnabled: true,
//	})
//	defer client.Close()
//	queue, err := redis.NewQueue(ctx, client, "messages", redis.QueueOptions{})
//	if err != nil {
//		return err
//	}
//	defer queue.Close() // others get at once what it has taken
//	p, err := message.New(message.Options{Store: store, Queue: queue})
//	…
//	go p.Consume(ctx)
//
// It is for Redis 7.0 and newer and what is compatible with it, as a single server, with Sentinel,
// or as a cluster. The client is github.com/redis/go-redis/v9, which most Go services that use Redis
// have already: you bring yours, with its pool, TLS and passwords. It adds three small modules
// (xxhash, go.uber.org/atomic, golang.org/x/sys).
//
// # How the queue works
//
// The keys are divided into partitions, 16 of them unless the queue was made with more; each is a
// stream. A partition has one taker at a time, by a lease on the server's clock that the taker
// renews. Everything that a taker does to a partition is a script that looks at the lease first: one
// that was taken for dead, and is not, can change nothing. Takers share the partitions evenly as
// they come and go; one that has more than its share gives some up when what it took of them has
// been dealt with. More takers than partitions wait. The names of all keys are in keys.go.
//
// # Guarantees
//
//   - What Put returned nil for is there until it is acknowledged or buried, as far as the server
//     keeps what it has acknowledged: see below.
//   - The items of a key come in their order, to one taker at a time. When a taker dies, the next
//     one begins with what it had, after QueueOptions.Lease and up to a quarter more; after Close,
//     at once.
//   - Whoever waits for Redis waits no longer than ctx, whether the client heeds it or not. A
//     Redis that comes back is used again, without a restart; a taker that was cut off for longer
//     than its lease, in which nobody else took its partitions, goes on where it was.
//   - A server whose memory is full refuses Put, and is drained all the same.
//
// # What the server keeps
//
// An acknowledgement of Redis is worth what its settings make it:
//
//	appendonly yes, appendfsync always     nothing is lost, whoever is killed, and when power fails
//	appendonly yes, appendfsync everysec   a kill loses what was written while the disk was slow, 2 s at most; a power failure 1 to 2 s
//	appendonly yes, appendfsync no         a kill loses nothing; a power failure what the system had not written, up to 30 s
//	appendonly no (the default)            all since the last snapshot
//	failover to a replica                  also what had not reached the replica yet: milliseconds, if it was keeping up
//
// What is lost may be a Put, which is then gone, or an acknowledgement: then the item comes again,
// and a message.Pipeline knows it by its nonce. NewQueue refuses a server that evicts keys of queues
// (maxmemory-policy allkeys-…), and cannot see the settings above.
//
// # Non-goals
//
// Items are not dropped when they are put twice. The dead are kept until somebody removes them
// (XTRIM). The number of partitions of a queue cannot be changed: make another queue, and let the
// old one run empty. There is no page cache shared by nodes: message.Cache is in the process, which
// is faster, and Invalidations keep it fresh.
//
// # What it costs
//
// Put is one round trip, Take one or a few, Ack one. A taker has one connection for what it is told,
// besides the client's pool. A taker that waits is told of what comes; every quarter of a lease it
// says that it lives and looks by itself, with two scripts for each partition that it has, and one
// for each that it could have. An item takes about 100 bytes in Redis, besides its own, until it is
// acknowledged.
//
// A Queue has two goroutines from its first Take to Close, and one for each call of Redis that is
// running; Invalidations have two until Close. The client has its own for each subscription.
package redis
