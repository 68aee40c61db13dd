// Package redis has what gatehouse keeps in Redis. For a cluster of gateways: a [Broker], which carries
// events between nodes and keeps a history of them, and a [Publisher] for services without a gateway;
// [Sessions], which outlive their node; a [Limiter] and a [Presence] that all nodes share; a [Directory], in
// which nodes find each other. For messages: a
// message.Queue on streams; a [Cache] of pages that all nodes share, so that a database is read once for a
// fleet; and [Invalidations], by which nodes tell each other to forget what each has cached for itself.
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
// The same client serves a cluster of gateways:
//
//	broker, err := redis.NewBroker(ctx, client, "chat", redis.BrokerOptions{})
//	…
//	sessions, err := redis.NewSessions(ctx, client, "chat")
//	…
//	gw, err := gateway.New(gateway.Options{Broker: broker, Sessions: sessions, …})
//
// # How the broker works
//
// The topics are divided into partitions, 64 of them unless the broker was made with more or fewer. A
// partition is one slot: an epoch and an offset, a stream with the newest records, and a sharded channel for
// each topic. Publish is one script, which gives the record its offset, appends it and tells the nodes that
// follow its topic: each once, others not at all. It has an id, by which the script knows a publication that
// is made again because the answer to the first one was lost: one of its own, or the ID of the event, for who
// publishes it again after an error.
//
// A node has one connection to each master that has topics of it. Where a topic begins, and that all up to
// a place was heard, it finds out by having the server say a number on a channel of its own, together with the
// place: what comes behind it on that connection was published behind it. So it sees as well, every 3 s, that
// it still hears the server that has the partition. When the connection is lost, it makes another, has the server say a
// number, reads what it has missed up to there in the stream, and goes on with what it hears.
//
//	Redis is away                         Publish, Follow and Since try for BrokerOptions.Timeout; nodes keep their sessions, say once that they are cut off, and Err says why
//	it is back, within the history        all is delivered, in order and each once
//	it is back, and keeps less than that  the topics' sessions are told (gateway.Record.Gap)
//	a failover has lost the newest        an epoch begins in the partition: all sessions of its topics are told
//
// That a failover has lost something is known by what any node or Publisher has seen of the partition, whoever
// comes first. What was acknowledged to a publisher, heard by no node, and lost, is untold if that publisher
// dies too or publishes nothing more in that partition: min-replicas-to-write 1 has a master that was cut
// off from its replicas take nothing more.
//
// # How sessions, limits and presence are kept
//
// A session is a hash that expires with it, a node's lease a key that expires on the server's clock. Who
// takes a session of a dead node looks at the lease, and then takes it from that node and no other: of
// several, one gets it. A limit's bucket is one key, and there while it is not full. Presence is one
// slot: an entry for each session, in the order of the last changes; 500 entries of a dead node are handed
// over in one step. Records, sessions and entries bear a version. Of one that this package does not know, a
// record is a gap of its topic, a session is refused (gateway.ErrVersion), an entry is not seen: see
// "Upgrading" in docs/running.md.
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
// Of the broker, what is lost that some node or publisher has seen begins an epoch; a session that is lost
// is not found, and its client begins anew. Of the queue, what is lost may be a Put, which is then gone, or
// an acknowledgement: then the item comes again, and a message.Pipeline knows it by its nonce. NewQueue,
// NewBroker, NewSessions and NewDirectory refuse a server that evicts any key (maxmemory-policy allkeys-…), and cannot see
// the settings above.
//
// # How the cache works
//
// A channel has a hash of pages, which is gone as a whole after CacheOptions.TTL. A page that is not
// there is read from the store under a generation, and kept if that is still the channel's. A write
// tells Redis twice. Before the store is asked, it leaves a mark, which runs out by itself; while there
// is one, no generation is given. Then, and when the store has answered, it ends the generation and
// forgets those pages that have its ids in their span: older pages stay when somebody says something
// new. So of all that may go wrong, only two things at once hide a write from a page: Redis has to be
// out of the writer's reach, or to have forgotten what the writer told it, both before the store was
// asked and after it has answered. A generation and its pages count for the server process alone that
// gave it: a replica that takes over, or a server that is started again, begins anew.
//
//	cut off before a write and after it   the write is done, and counted in CacheStats.Untold; others may have older pages for a TTL
//	the same, with CacheOptions.Strict    the write fails, undone
//	the writer is killed, the write fails nothing of the channel is kept for CacheOptions.Lease
//	FLUSHALL, eviction, kill, failover    pages are read from the store again
//	a master that lives on, cut off       who still reaches it may have older pages for a TTL
//	Redis is away                         pages come from the store; one in a second looks for Redis
//
// Give a cache a server of its own with maxmemory and maxmemory-policy allkeys-lru; on one that has
// queues too, volatile-lru takes of the cache alone. In front of it, a message.Cache with a MaxAge of a
// second saves the round trip, and Invalidations save its second.
//
// # Non-goals
//
// Items are not dropped when they are put twice. The dead are kept until somebody removes them
// (XTRIM). The number of partitions of a queue cannot be changed: make another queue, and let the
// old one run empty. A Cache does not join readers who ask for one page at a time (message.Cache
// does), nor does it cache messages by id or searches.
//
// # What it costs
//
// Put is one round trip, Take one or a few, Ack one. A taker has one connection for what it is told,
// besides the client's pool. A taker that waits is told of what comes; every quarter of a lease it
// says that it lives and looks by itself, with two scripts for each partition that it has, and one
// for each that it could have. An item takes about 100 bytes in Redis, besides its own, until it is
// acknowledged.
//
// A page that is in Redis is one round trip, in which the server copies it and, for 20 to 40 µs, looks who
// it is itself (INFO; where that is not allowed, a failover may bring back pages from before a write for
// a TTL). One that is not is two and the store's; a write two more than without.
//
// Publish is one round trip; so are Take of a Limiter and Put of a Presence, and those of one process that come
// while others of their slot are on the way go together. A record takes its bytes and about 240 more in the
// history: 4,096 of them in 64 partitions, of 400 bytes each, are 170 MB. Follow is two round trips. Every 3 s a
// node asks for a number in each partition that it follows: 21 small scripts a second with all 64. A
// client-output-buffer-limit for pubsub that is too small for bursts cuts nodes off, which then read the stream.
//
// A Broker's feed has a goroutine, and one for each connection, until Close. Broker, Publisher, Limiter and
// Presence have one for each slot of which calls are on the way, Sessions one for each call.
//
// A Queue has two goroutines from its first Take to Close, and one for each call of Redis that is
// running, as a Cache has; Invalidations have two until Close. The client has its own for each subscription.
package redis
