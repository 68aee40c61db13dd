package redis

import "errors"

var (
	// ErrName is returned for a queue's name that is empty or has a brace in it: braces say to
	// Redis Cluster what belongs together.
	ErrName = errors.New("redis: a queue needs a name without braces")
	// ErrPartitions is returned by NewQueue for a queue that was made with another number of
	// partitions.
	ErrPartitions = errors.New("redis: the queue has another number of partitions")
	// ErrTooNew is returned by NewQueue for a queue that a newer version of this package made.
	ErrTooNew = errors.New("redis: the queue was made by a newer version")
	// ErrEvicts is returned by NewQueue for a server that throws away any key when its memory is
	// full (maxmemory-policy allkeys-…), and so whole queues.
	ErrEvicts = errors.New("redis: the server evicts keys when its memory is full: set maxmemory-policy noeviction")
)
