package shard

import "errors"

var (
	// ErrInvalid: a node without an ID, a weight below 0 or above [MaxWeight],
	// or a count of shards below 1.
	ErrInvalid = errors.New("shard: invalid node or count")

	// ErrDuplicate: two nodes of one ring have the same ID (or, once in 2⁶⁴
	// pairs, IDs with the same hash).
	ErrDuplicate = errors.New("shard: duplicate node")

	// ErrUnknown: the node or shard to remove is not there.
	ErrUnknown = errors.New("shard: unknown node")

	// ErrEmpty: no node would be left to own anything.
	ErrEmpty = errors.New("shard: no nodes")

	// ErrTooMany: a ring holds at most [MaxNodes] nodes.
	ErrTooMany = errors.New("shard: too many nodes")

	// ErrFull: every shard of a manager holds as many connections as it may.
	ErrFull = errors.New("shard: all shards full")
)
