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

	At   time.Time // when this version was made
	Left time.Time // since when it has no connection; zero while it has one
	Gone bool      // it is over: nothing but User, Session, Version, At and Left counts
}

// Store shares entries between the trackers of several nodes. presencetest has
// the tests that every implementation must pass, one for each sentence below.
//
// All methods may be called by many goroutines at once. Entries that are
// handed over or returned are not changed by anybody afterwards.
type Store interface {
	// Put keeps an entry as the newest of its user and session. An entry whose
	// Version is not higher than the kept one's changes nothing and is no error.
	Put(ctx context.Context, e Entry) error

	// Renew says that a node lives until the given time. A node that never
	// renewed is not known, and its entries are not swept. A time before the
	// one known replaces it: so a node says goodbye.
	Renew(ctx context.Context, node string, until time.Time) error

	// Sweep hands the entries of every other node whose lease ended before now to
	// the given node: each gets that Node, a Version one higher, At now, and, unless
	// it had left already, Left at the end of the lease. It returns them. An
	// entry that another node has put meanwhile does not bear the dead node any
	// more and is left alone; of several callers, one gets an entry. Entries
	// that are gone are not handed over.
	Sweep(ctx context.Context, node string, now time.Time) ([]Entry, error)

	// Since returns the newest entries of all sessions that were changed after
	// the cursor, in the order of their last change, gone ones included, and the
	// cursor behind them. Cursor 0 is before everything. A gone entry may be
	// forgotten an hour after its At, as the newest At that the store has seen
	// counts.
	Since(ctx context.Context, cursor uint64) (changed []Entry, next uint64, err error)
}
