// Package poll watches many sockets without a goroutine for each: epoll, on
// Linux. Elsewhere [New] returns ErrUnsupported.
//
// A [Desc] owns a descriptor. It is used and closed under the Desc's lock only,
// and what epoll knows it by is a place in a table with a generation: neither a
// number that was closed and reused nor an event that comes late reaches another
// connection.
package poll

import (
	"errors"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

var (
	// ErrUnsupported says that this system, or this connection, cannot be polled.
	ErrUnsupported = errors.New("poll: not supported")
	// ErrWouldBlock says that a socket has no bytes, or takes no more, for now.
	ErrWouldBlock = straight.ErrWouldBlock
)

// Handler is told of one descriptor. Its methods do not block, and may be
// called by several goroutines at once.
type Handler interface {
	// Ready is called on a loop when there may be something to read, into buf if
	// it likes, until it returns. With drain it is to be read until nothing is
	// left, even if a read was short: what is behind may be the end. Returning
	// true asks for another call after others had their turn.
	Ready(buf []byte, drain bool) (more bool)

	// Closed is called by Close, once.
	Closed()
}
