package presence

import (
	"context"
	"encoding/json"
	"time"
)

// Entry is what a store keeps of one session of a user.
type Entry struct {
	User, Session string
	Node          string // the incarnation of the node that answers for it
	Version       uint64 // grows with every change of this session

	Platform   string
	Status     Status
	Activities json.RawMessage

	At   time.Time // when this version was made, by the clock of who made it: a tracker, or the store that handed it over
	Left time.Time // since when it has no connection; zero while it has one
	Gone bool      // it is over: nothing but User, Session, Version, At and Left counts
}

// Store shares entries between the trackers of several nodes. presencetest has
// the tests that every implementation must pass, one for each sentence below.
//
// All methods may be called by many goroutines at once. Entries that are
// handed over or returned are not changed by anybody afterwards.
type Store interface {
	// Put keeps entries, each as the newest of its user and session. An entry whose
	// Version is not higher than the kept one's changes nothing and is no error.
	// When Put returns nil, all have been taken; after an error any of them may have been.
	Put(ctx context.Context, entries ...Entry) error

	// Renew says that a node lives, from now on for the length of its lease by the
	// store's own clock, whatever times entries have; 0 ends it. A node that never
	// renewed does not live. known reports whether the store knew the node: it does not the
	// first time, nor when it has lost what it had, nor after a Sweep of another node
	// that found the lease over.
	Renew(ctx context.Context, node string, lease time.Duration) (known bool, err error)

	// Sweep hands the entries of every other node that does not live to the
	// given node: each gets that Node, a Version one higher, At now by the store's clock, and, unless
	// it had left already, Left when the lease ended by that clock, or now if the node has none. It
	// returns them. An entry that another node has put meanwhile does not bear the dead
	// node any more and is left alone; of several callers, one gets an entry. Entries
	// that are gone are not handed over. After an error the node may have some: Since
	// returns them.
	Sweep(ctx context.Context, node string) ([]Entry, error)

	// Since returns the newest entries of all sessions that were changed after
	// the cursor, in the order of their last change, gone ones included, and the
	// cursor behind them. Cursor 0 is before everything. A gone entry may be
	// forgotten an hour after it was put, by the store's clock.
	Since(ctx context.Context, cursor uint64) (changed []Entry, next uint64, err error)
}
