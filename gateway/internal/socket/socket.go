package socket

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"time"
)

// ErrWouldBlock says that the connection takes no bytes now, or that it is of
// a kind that cannot say so: [Socket.Write] waits instead.
var ErrWouldBlock = errors.New("socket: write would block")

// StallTimeout is how long a blocking write may make no progress at all.
const StallTimeout = 10 * time.Second

// Socket is the writing side of a connection. At most one goroutine may be in
// TryWrite or Write at a time; Close may be called at any time.
type Socket struct {
	nc    net.Conn
	raw   syscall.RawConn // nil: no way to write straight
	stall time.Duration   // StallTimeout, but for tests
	// broken latches: half a frame may be out, so nothing may follow it.
	broken atomic.Bool
}

// New returns a socket for nc. A *net.TCPConn is written straight; anything
// else, a foreign tls.Conn or a net.Pipe, only by blocking writes: after one
// that would have blocked, a tls.Conn is dead for ever.
func New(nc net.Conn) *Socket {
	s := &Socket{nc: nc, stall: StallTimeout}
	if tcp, ok := nc.(*net.TCPConn); ok && straightWrites {
		if raw, err := tcp.SyscallConn(); err == nil {
			s.raw = raw
			limitUnsent(raw)
		}
	}
	return s
}

// TryWrite writes what the connection takes at once, which may be nothing, and
// returns how much that was. A short count comes with ErrWouldBlock, or with
// the error that ended the connection.
func (s *Socket) TryWrite(p []byte) (int, error) {
	if s.raw == nil {
		return 0, ErrWouldBlock
	}
	return tryWrite(s.raw, p)
}

// Write writes all of p, waiting as long as the peer takes something every
// StallTimeout.
func (s *Socket) Write(p []byte) error {
	// A deadline that has passed would fail the next straight write.
	defer s.nc.SetWriteDeadline(time.Time{})
	for len(p) > 0 {
		if s.broken.Load() {
			return net.ErrClosed
		}
		chunk := p
		if s.raw == nil {
			// A connection that is not ours to look into is dead after a
			// timeout, so each wait is for one record of TLS at most.
			chunk = p[:min(len(p), 16<<10)]
		}
		if err := s.nc.SetWriteDeadline(time.Now().Add(s.stall)); err != nil {
			return err
		}
		n, err := s.nc.Write(chunk)
		p = p[n:]
		progress := n > 0 && s.raw != nil
		if err != nil && !(progress && errors.Is(err, os.ErrDeadlineExceeded)) {
			s.broken.Store(true)
			return err
		}
	}
	return nil
}

// Close closes the connection. A Write or Read in progress returns.
func (s *Socket) Close() {
	s.broken.Store(true)
	s.nc.Close()
}

// CloseWrite tells the peer that nothing more comes, where the connection can.
func (s *Socket) CloseWrite() {
	if half, ok := s.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
}

// Straight reports whether TryWrite ever takes anything.
func (s *Socket) Straight() bool { return s.raw != nil }

// Progress returns how many bytes Write has taken.
func (s *Socket) Progress() int64 { return 0 }
