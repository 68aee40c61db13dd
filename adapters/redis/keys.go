package redis

import (
	"hash/fnv"
	"strconv"
)

// What a queue keeps in Redis. The braces keep a partition's keys on one node of a cluster.
//
//	gatehouse:queue:{name}:layout    hash: version, partitions
//	gatehouse:queue:{name}:takers    sorted set: the takers, by when they count no more (ms)
//	gatehouse:queue:{name/3}:lease   hash: taker, epoch, until (ms)
//	gatehouse:queue:{name/3}:items   stream: k(ey), i(d), d(ata); group "queue", consumer "taker"
//	gatehouse:queue:{name/3}:idle    there, if the partition's taker has read all, and is to be told of more
//	gatehouse:queue:{name/3}:dead    stream: w(hy), t(ime, µs), and the fields of the item
//	gatehouse:queue:{name}           channel: a partition's number when its taker should look, or "look"
//
// The consumer of a group is who has the lease, whoever that is: what a taker that died has not
// acknowledged is its successor's at once.
const prefix = "gatehouse:queue:{"

// What a Cache keeps in Redis, of each channel. All of it expires.
//
//	gatehouse:cache:{name/channel}:pages    hash: generation, server (its run_id), and pages by their queries
//	gatehouse:cache:{name/channel}:spans    hash: lowest and highest id that changes a page, by query
//	gatehouse:cache:{name/channel}:writes   sorted set: writes under way, by when they count no more (ms)
const cachePrefix = "gatehouse:cache:{"

// What a broker keeps in Redis. All of a partition is one slot.
//
//	gatehouse:broker:{name}:layout            hash: version, partitions, records
//	gatehouse:broker:{name/3}:head            hash: epoch, offset of the newest record
//	gatehouse:broker:{name/3}:events          stream: r(ecord), its offset as its id
//	gatehouse:broker:{name/3}:ids             sorted set: what Publish was called by, by offset
//	gatehouse:broker:{name/3}:topic:guild:7   sharded channel: the records of a topic, with their positions
//	gatehouse:broker:{name/3}:feed:id         sharded channel: what a feed asks to hear: number, epoch, offset
const brokerPrefix = "gatehouse:broker:{"

// What Sessions keep in Redis. All of it expires.
//
//	gatehouse:session:{name:id}   hash: v(ersion), by (who saved it), node, user, expires (ms), data
//	gatehouse:node:{name:node}    there while the node lives
const sessionPrefix, nodePrefix = "gatehouse:session:{", "gatehouse:node:{"

// What a Directory keeps in Redis. Both expire with the last lease.
//
//	gatehouse:directory:{name}:members   hash: what is said of a node, in JSON, by its id
//	gatehouse:directory:{name}:leases    sorted set: ids, by when they are no members any more (ms)
const directoryPrefix = "gatehouse:directory:{"

// What a Limiter keeps in Redis: what is not full.
//
//	gatehouse:limiter:{name/3}:key   how long until it is full (ns), as of when (µs)
const limiterPrefix = "gatehouse:limiter:{"

// What a Presence keeps in Redis, in one slot.
//
//	gatehouse:presence:{name}:entries   hash: entries by user and session
//	gatehouse:presence:{name}:order     sorted set: the same fields, by their last change
//	gatehouse:presence:{name}:owners    sorted set, all of one score: node, NUL, field of each that is not gone
//	gatehouse:presence:{name}:graves    sorted set: fields of those that are gone, by when they were put (µs)
//	gatehouse:presence:{name}:leases    hash: when it ends, by node (µs)
//	gatehouse:presence:{name}:state     hash: cursor, the number of the last change
const presencePrefix = "gatehouse:presence:{"

func (q *Queue) shared(what string) string { return prefix + q.name + "}:" + what }

func (q *Queue) channel() string { return prefix + q.name + "}" }

func (q *Queue) of(partition int, what string) string {
	return prefix + q.name + "/" + strconv.Itoa(partition) + "}:" + what
}

func (q *Queue) partitionOf(key string) int { return hashTo(key, q.partitions) }

// hashTo must give the same for ever: FNV-1a of the key.
func hashTo(key string, partitions int) int {
	h := fnv.New64a()
	h.Write([]byte(key))
	return int(h.Sum64() % uint64(partitions))
}
