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

func (q *Queue) shared(what string) string { return prefix + q.name + "}:" + what }

func (q *Queue) channel() string { return prefix + q.name + "}" }

func (q *Queue) of(partition int, what string) string {
	return prefix + q.name + "/" + strconv.Itoa(partition) + "}:" + what
}

// partitionOf must give the same for ever: FNV-1a of the key.
func (q *Queue) partitionOf(key string) int {
	h := fnv.New64a()
	h.Write([]byte(key))
	return int(h.Sum64() % uint64(q.partitions))
}
