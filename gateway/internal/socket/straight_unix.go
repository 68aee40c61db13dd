//go:build unix

package socket

import (
	"sync"
	"syscall"
)

const straightWrites = true

// attempt is one write(2). Its function value is made once, so that a write
// does not allocate.
type attempt struct {
	p   []byte
	n   int
	err error
	fn  func(fd uintptr) bool
}

var attempts = sync.Pool{New: func() any {
	a := new(attempt)
	a.fn = a.write
	return a
}}

// write reports true whatever happened: with false, the runtime would wait
// until the descriptor is writable.
func (a *attempt) write(fd uintptr) bool {
	for a.n < len(a.p) {
		n, err := syscall.Write(int(fd), a.p[a.n:])
		switch {
		case n > 0:
			a.n += n
		case err == syscall.EINTR:
		case err == syscall.EAGAIN || n == 0:
			a.err = ErrWouldBlock
			return true
		default:
			a.err = err
			return true
		}
	}
	return true
}

// tryWrite goes through the descriptor's lock in the runtime, so that a number
// that was closed and reused cannot receive another connection's bytes.
func tryWrite(raw syscall.RawConn, p []byte) (int, error) {
	a := attempts.Get().(*attempt)
	a.p, a.n, a.err = p, 0, nil
	err := raw.Write(a.fn)
	n := a.n
	if a.err != nil {
		err = a.err
	}
	a.p = nil
	attempts.Put(a)
	return n, err
}
