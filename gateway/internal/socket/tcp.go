package socket

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// tcp is a TCP connection that is written by write(2). It goes through the
// descriptor's lock in the runtime, so that a number that was closed and reused
// cannot receive another connection's bytes.
type tcp struct{ raw syscall.RawConn }

// newTCP has c written straight where that can be.
func newTCP(c *net.TCPConn) path {
	raw, err := c.SyscallConn()
	if err != nil || !straight.Supported {
		return &blocking{c, StallTimeout}
	}
	limitUnsent(raw)
	return &tcp{raw}
}

func (t *tcp) straight() bool { return true }

func (t *tcp) try(p []byte) (int, error) { return t.attempt(p, nil) }

func (t *tcp) finish(p []byte, moved *atomic.Int64) error {
	if len(p) == 0 {
		return nil
	}
	_, err := t.attempt(p, moved)
	return err
}

func (t *tcp) gather(parts [][]byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.parts = parts
	n, err := t.run(a)
	a.parts = nil
	attempts.Put(a)
	return n, err
}

// attempt is one write, or, with moved, as many as it takes.
func (t *tcp) attempt(p []byte, moved *atomic.Int64) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.moved = p, moved
	n, err := t.run(a)
	a.p, a.moved = nil, nil
	attempts.Put(a)
	return n, err
}

func (t *tcp) run(a *attempt) (int, error) {
	a.n, a.err = 0, nil
	err := t.raw.Write(a.fn)
	if a.err != nil {
		err = a.err
	}
	return a.n, err
}

// attempt has its function value made once, so that a write does not allocate.
type attempt struct {
	p     []byte
	parts [][]byte      // instead of p
	moved *atomic.Int64 // nil: do not wait
	n     int
	err   error
	fn    func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.fn = a.write
	return a
}}

// write reports false to have the runtime wait until the descriptor is
// writable, and call it again.
func (a *attempt) write(fd uintptr) bool {
	if a.parts != nil {
		a.n, a.err = straight.Gather(fd, a.parts)
		return true
	}
	n, err := straight.Write(fd, a.p[a.n:])
	a.n += n
	if a.moved != nil {
		a.moved.Add(int64(n))
		if err == ErrWouldBlock {
			return false
		}
	}
	a.err = err
	return true
}
