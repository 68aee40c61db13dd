package presence

import (
	"crypto/rand"
	"fmt"
	"log/slog"
	"time"
)

// Options configure a [Tracker]. The zero value works: one node, in memory.
type Options struct {
	// Store shares presence with other nodes; nil: a NewMemoryStore of its own.
	Store Store

	// Grace is how long a device that lost its connection still counts, so that
	// a reconnect is silent. Default 45 s; negative: not at all.
	Grace time.Duration

	// Lease is how long this node may be silent before others take its devices
	// for lost, by the store's clock. It is renewed three times in that time. Default 15 s.
	Lease time.Duration

	// Blip is how long a lost connection is kept from the store: to a device that
	// is back on this node by then nothing happened, and it costs the store nothing. Default a
	// third of Lease; negative: nothing is kept from it.
	Blip time.Duration

	// Backoff is the longest that a client waits before it reconnects. Default
	// 30 s. Grace must be at least Lease + Backoff, or people would flicker
	// when a node dies.
	Backoff time.Duration

	// Window is how long changes are collected before they are told. Default
	// 100 ms. It is also how often the store is asked for changes.
	Window time.Duration

	// Publish, if set, is told what changed on this node, topic by topic: one
	// call per topic and window. The tracker's goroutine calls it, one call at
	// a time; the slice is the callee's.
	Publish func(topic string, changes []Change)

	// Topics, if set, says in which topics the changes of a user are told who has
	// joined none here: of those that this node takes over from a dead one, before
	// Publish is told that they went. The tracker's goroutine calls it: it should
	// return soon.
	Topics func(user string) []string

	MaxDevices    int // of one user: default 32, negative: no limit
	MaxActivities int // bytes of one device: default 4,096, negative: no limit

	// Node names this incarnation of this node; "": random. What one that had the
	// name before has left in the store, this one ends.
	Node string

	// Logger is told when the store fails; nil: slog.Default.
	Logger *slog.Logger
}

func (o Options) withDefaults() (Options, error) {
	if o.Store == nil {
		o.Store = NewMemoryStore()
	}
	length := func(d *time.Duration, fallback time.Duration) {
		if *d == 0 {
			*d = fallback
		}
	}
	length(&o.Grace, 45*time.Second)
	length(&o.Lease, 15*time.Second)
	length(&o.Blip, o.Lease/3)
	length(&o.Backoff, 30*time.Second)
	length(&o.Window, 100*time.Millisecond)
	if o.MaxDevices == 0 {
		o.MaxDevices = 32
	}
	if o.MaxActivities == 0 {
		o.MaxActivities = 4096
	}
	if o.Node == "" {
		o.Node = rand.Text()
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	switch {
	case o.Lease < 0 || o.Backoff < 0 || o.Window < 0:
		return o, fmt.Errorf("presence: Lease, Backoff and Window cannot be negative")
	case o.Grace > 0 && o.Grace < o.Lease+o.Backoff:
		return o, fmt.Errorf("%w: %v < %v + %v", ErrGrace, o.Grace, o.Lease, o.Backoff)
	}
	o.Grace, o.Blip = max(o.Grace, 0), max(o.Blip, 0)
	return o, nil
}
