package shard

import (
	"context"
	"time"
)

// Member is a node as others find it in a [Directory]. All texts are UTF-8.
type Member struct {
	// ID is its name in rings: not empty, and of one process at a time. A node that comes back
	// under its old one, after a restart, has its old keys.
	ID string `json:"id"`

	// Weight is its share relative to the others', as of a [Node].
	Weight int `json:"weight,omitempty"`

	// Addr is where a load balancer reaches it, as HOST:PORT; "" if none does.
	Addr string `json:"addr,omitempty"`

	// URL is where clients do, if they can reach it and no other: Gateway.Move sends them there.
	URL string `json:"url,omitempty"`
}

// Directory keeps who the members are, in something that all nodes reach: a server, or the memory
// of a process that has them all. A [Roster] is made of one.
//
// All methods may be called by many goroutines at once. They return an error, which wraps that of
// ctx when it has ended, if what they say is not certain; what Announce was to do may be done then.
// Package shardtest has a test for each sentence here.
type Directory interface {
	// Announce has m be a member for as long as lease, by the directory's own clock, in place of
	// what was known under its ID. A lease of 0 or less ends it at once, if there is one.
	Announce(ctx context.Context, m Member, lease time.Duration) error

	// Members returns the members whose lease is not over, each once with all that was said of
	// it, sorted by ID: all that was announced before the call began, whoever announced it.
	Members(ctx context.Context) ([]Member, error)
}
