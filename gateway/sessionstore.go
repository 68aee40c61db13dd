package gateway

import (
	"context"
	"fmt"
	"time"
)

// SessionStore keeps sessions for the nodes that share it: those that a drain
// has saved, which nobody has, and a copy of each one that a node has, for when
// that is killed. [NewMemorySessions] is one for the gateways of a process;
// gatewaytest.SessionStore proves one of your own.
//
// node is the name of the gateway that calls, which no other has or had. It has
// what it took, and what it saved with its name, until it saves or deletes it, or
// another takes it.
//
// All methods may be called by many goroutines at once. With a ctx that has ended
// they return an error that wraps its own.
type SessionStore interface {
	// Save keeps records, each in place of what is kept under its ID. A record that
	// another node has is left as it is, and so is one that another has saved for
	// nobody if the new one is a copy (its Node is set): the error is a *TakenError
	// with their IDs when all others are kept. When it returns nil, all of them are there for every Take
	// that begins afterwards; after any other error, any of them may be. It keeps
	// rec.Data, which nobody changes any more.
	Save(ctx context.Context, node string, records ...StoredSession) error

	// Take gives a session to the node, and returns the record as it was; it stays
	// kept. The node gets what nobody has, what it has already, and what a node has
	// that does not live. What a living node has it does not get: the error is
	// a *TakenError with that and the user. Of those who ask at once for one that nobody
	// has, one gets it. Whoever asks for one that is not kept or whose time is
	// over gets ErrNoSession; whoever asks for one that a newer version of the store
	// has kept, and this one cannot read, ErrVersion. After any other error the node
	// may have it.
	Take(ctx context.Context, node, id string) (StoredSession, error)

	// Delete forgets records, but those that another node has. That some are not
	// there is no error.
	Delete(ctx context.Context, node string, ids ...string) error

	// Renew says that a node lives, from now on for the length of its lease by the
	// store's own clock; 0 ends it. A node that never renewed does not live.
	Renew(ctx context.Context, node string, lease time.Duration) error
}

// StoredSession is a session as a store keeps it.
type StoredSession struct {
	ID      string
	User    string    // whose it is
	Node    string    // which node has it, and keeps this copy; empty: nobody has it
	Expires time.Time // from then on it may be forgotten, and is not returned any more
	Data    []byte    // for the gateway alone; its first byte is the format's version
}

// TakenError is returned by a SessionStore for sessions that somebody else has.
type TakenError struct {
	Node string   // who has it; of Take
	User string   // whose it is; of Take
	IDs  []string // which
}

func (e *TakenError) Error() string {
	if e.Node == "" {
		return fmt.Sprintf("gateway: %d sessions are not this node's any more", len(e.IDs))
	}
	return "gateway: the session is node " + e.Node + "'s"
}
