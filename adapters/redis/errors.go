package redis

import "errors"

var (
	// ErrName is returned for a name that is empty or has a brace in it: braces say to
	// Redis Cluster what belongs together.
	ErrName = errors.New("redis: a name is needed, without braces")
	// ErrPartitions is returned by NewQueue and NewBroker for what was made with another number of
	// partitions.
	ErrPartitions = errors.New("redis: it has another number of partitions")
	// ErrTooNew is returned by NewQueue and NewBroker for what a newer version of this package made.
	ErrTooNew = errors.New("redis: it was made by a newer version")
	// ErrClosed is returned by what was closed, but for what a message package has its own for.
	ErrClosed = errors.New("redis: closed")
	// ErrEvicts is returned by NewQueue, NewBroker, NewSessions and NewDirectory for a server that throws away any key when its memory is
	// full (maxmemory-policy allkeys-…), and so whole queues and histories.
	ErrEvicts = errors.New("redis: the server evicts keys when its memory is full: set maxmemory-policy noeviction")
)
