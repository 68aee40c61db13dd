package gateway

import "errors"

var (
	// ErrUnauthorized is what Authenticate returns, wrapped or not, to refuse a
	// token. The connection is closed 4004 and the client does not come back.
	ErrUnauthorized = errors.New("gateway: unauthorized")

	// ErrRate is returned by a Limiter for a rate that has no bucket, or for
	// more tokens than fit into one.
	ErrRate = errors.New("gateway: impossible rate")

	// ErrClosed is returned once the gateway is shutting down, or by the
	// methods of a session that has ended.
	ErrClosed = errors.New("gateway: closed")

	// ErrGap is returned by a Broker when it does not keep everything behind a position.
	ErrGap = errors.New("gateway: history has a gap")

	// ErrNoSession is returned by a SessionStore that does not keep a session.
	ErrNoSession = errors.New("gateway: no such session")

	// ErrVersion is returned, wrapped or not, by a SessionStore for a session that
	// was stored by a version which this one does not understand. The client is
	// told that its session is over.
	ErrVersion = errors.New("gateway: a session was stored by a version that this one does not understand")
)

// CommandError is an error that a command's handler may return to choose what
// the client is told in the reply's "e". Any other error is logged and told as
// code "INTERNAL".
type CommandError struct {
	Code       string `json:"code"`                  // stable, for programs: "NOT_FOUND"
	Message    string `json:"message"`               // for people
	RetryAfter int    `json:"retry_after,omitempty"` // milliseconds; 0 says nothing
}

func (e *CommandError) Error() string { return "gateway: command: " + e.Code + ": " + e.Message }
