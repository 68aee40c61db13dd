package socket

import (
	"crypto/tls"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// ErrWouldBlock says that the connection takes no more bytes now, or that it is
// of a kind that cannot say so: [Socket.Write] waits instead.
var ErrWouldBlock = straight.ErrWouldBlock

// StallTimeout is how long a write may make no progress at all. On a straight
// socket that is for somebody to watch, by [Socket.Progress]; on others Write
// gives up by itself.
const StallTimeout = 10 * time.Second

// Socket is the writing side of a connection. At most one goroutine may be in
// TryWrite or Write at a time; Close and Progress may be called at any time.
type Socket struct {
	path path // static
	// broken latches: half a frame may be out, so nothing may follow it.
	broken   atomic.Bool
	progress atomic.Int64
}

// path is a way to write to a connection.
type path interface {
	// try writes what is taken at once. ErrWouldBlock comes with a short count,
	// and what is missing with the next try or finish.
	try(p []byte) (int, error)

	// finish waits until all of p is out, and adds to moved as it gets on.
	finish(p []byte, moved *atomic.Int64) error

	straight() bool

	// below is what there is to close: a net.Conn, or the descriptor of one.
	below() io.Closer
}

// tryWriter is a connection that can be written to without blocking. A short
// count without an error says that it would block.
type tryWriter interface {
	TryWrite(p []byte) (n int, err error)
}

// New returns a socket for nc, to which nobody else writes from now on but TLS
// itself. What is to be read comes from [NewReader] then: of a TCP connection
// only the descriptor may be left, and nc closed.
func New(nc net.Conn) *Socket {
	if tcp := tcpOf(nc); tcp != nil {
		if s := takeTCP(tcp); s != nil {
			return s
		}
	}
	return &Socket{path: pathFor(nc)}
}

func pathFor(nc net.Conn) path {
	switch c := nc.(type) {
	case *tls.Conn:
		switch below := c.NetConn().(type) {
		case *Conn:
			// Before, a write would wait for the peer's side of the handshake.
			if c.ConnectionState().HandshakeComplete {
				below.adopt()
				return &sealed{tls: c, under: below}
			}
		case *net.TCPConn:
			if raw, err := below.SyscallConn(); err == nil {
				limitUnsent(raw)
			}
		}
	case tryWriter:
		return &trier{c, nc}
	}
	return &blocking{nc, StallTimeout}
}

// Below returns the net.Conn, or what has the descriptor that is left of one.
func (s *Socket) Below() io.Closer { return s.path.below() }

// Straight reports whether TryWrite can take anything.
func (s *Socket) Straight() bool { return s.path.straight() }

// TryWrite writes what the connection takes at once, which may be nothing, and
// returns how much that was. A short count comes with ErrWouldBlock, or with
// the error that ended the connection. The next TryWrite or Write begins with
// what is missing: somewhere below, a part of it may be on its way.
func (s *Socket) TryWrite(p []byte) (int, error) { return s.path.try(p) }

// gatherer is a path that writes several pieces at once.
type gatherer interface {
	gather(parts [][]byte) (int, error)
}

// Gathers reports whether TryGather is for this connection.
func (s *Socket) Gathers() bool {
	_, ok := s.path.(gatherer)
	return ok && straight.Gathers
}

// TryGather is TryWrite of several pieces, for a connection that Gathers.
func (s *Socket) TryGather(parts [][]byte) (int, error) { return s.path.(gatherer).gather(parts) }

// Write writes all of p. On a straight socket it waits for as long as the connection lives: who gives up a
// peer that takes nothing, by Progress, calls Close, and Write returns. On
// others it fails when nothing moves for StallTimeout.
func (s *Socket) Write(p []byte) error {
	if s.broken.Load() {
		return net.ErrClosed
	}
	err := s.path.finish(p, &s.progress)
	if err != nil {
		s.broken.Store(true)
	}
	return err
}

// Progress counts the bytes that a Write in progress, or one before it, got
// rid of: it grows as long as the peer takes something.
func (s *Socket) Progress() int64 { return s.progress.Load() }

// Close closes the connection. A Write or Read in progress returns. It never
// waits for the peer.
func (s *Socket) Close() {
	s.broken.Store(true)
	if b, foreign := s.path.(*blocking); foreign {
		// A tls.Conn says goodbye before it closes what is below it, and waits
		// up to 5 s for a peer that does not read.
		if c, ok := b.nc.(interface{ NetConn() net.Conn }); ok {
			c.NetConn().Close()
		}
	}
	s.path.below().Close()
}

// CloseWrite tells the peer that nothing more comes, where the connection can.
// Only a tls.Conn that is not straight may wait for it, for up to 5 s.
func (s *Socket) CloseWrite() {
	if half, ok := s.path.below().(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}
