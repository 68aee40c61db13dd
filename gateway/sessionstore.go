package gateway

import (
	"context"
	"time"
)

// SessionStore keeps sessions while no gateway has them: a drain saves them,
// and the gateway that their clients reach next takes each one. [NewMemorySessions]
// is one for the gateways of a process; gatewaytest.SessionStore proves one of
// your own.
//
// All methods may be called by many goroutines at once. With a ctx that has ended
// they return an error that wraps its own.
type SessionStore interface {
	// Save keeps records, each in place of what is kept under its ID. When it
	// returns nil, all of them are there for every Take that begins afterwards;
	// when it returns an error, any of them may be. It keeps rec.Data, which
	// nobody changes any more.
	Save(ctx context.Context, records ...StoredSession) error

	// Take removes a record and returns it. Of those who ask for it at once, one
	// gets it; the others, and whoever asks for one that is not kept or whose
	// time is over, get ErrNoSession. After any other error the record is where
	// it was.
	Take(ctx context.Context, id string) (StoredSession, error)

	// Delete forgets records. That some are not there is no error.
	Delete(ctx context.Context, ids ...string) error
}

// StoredSession is a session as a store keeps it.
type StoredSession struct {
	ID      string
	User    string    // whose it is
	Expires time.Time // from then on it may be forgotten, and is not returned any more
	Data    []byte    // for the gateway alone; its first byte is the format's version
}
