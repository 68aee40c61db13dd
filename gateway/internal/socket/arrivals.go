package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
)

// Arrivals reads a TCP connection into memory that is only held while there is
// something in it: of ten thousand connections that are quiet, none has a
// buffer. One goroutine at a time may use it.
type Arrivals struct {
	raw  syscall.RawConn
	take func(fd uintptr) bool // read, made once

	arrived *arrived // nil: nothing is left
	rest  []byte // of arrived
	err   error  // what the last read ended with
}

// arrived is what is read at once: more than most clients ever send.
type arrived [4 << 10]byte

var arrivedPool = sync.Pool{New: func() any { return new(arrived) }}

// NewArrivals returns nil when nc is not of a kind that can be read like that.
func NewArrivals(nc net.Conn) *Arrivals {
	var tcp *net.TCPConn
	switch c := nc.(type) {
	case *net.TCPConn:
		tcp = c
	case *Conn:
		tcp = c.TCPConn
	default:
		return nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil || !straightReads {
		return nil
	}
	a := &Arrivals{raw: raw}
	a.take = a.read
	return a
}

// Wait returns when there is something to read, or an error to be met by Read.
func (a *Arrivals) Wait() {
	if len(a.rest) > 0 || a.err != nil {
		return
	}
	if err := a.raw.Read(a.take); err != nil {
		a.err = err
	}
}

// Read waits for bytes, as a net.Conn does, and deadlines are the connection's.
// An error is met once.
func (a *Arrivals) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	a.Wait()
	if err := a.err; err != nil {
		a.err = nil
		return 0, err
	}
	n := copy(p, a.rest)
	if a.rest = a.rest[n:]; len(a.rest) == 0 {
		arrivedPool.Put(a.arrived)
		a.arrived, a.rest = nil, nil
	}
	return n, nil
}

// read reports false to be called again when the descriptor is readable.
func (a *Arrivals) read(fd uintptr) bool {
	c := arrivedPool.Get().(*arrived)
	n, err := readStraight(fd, c[:])
	if n > 0 {
		a.arrived, a.rest = c, c[:n]
		return true
	}
	arrivedPool.Put(c)
	switch err {
	case ErrWouldBlock:
		return false
	case nil:
		a.err = io.EOF
	default:
		a.err = &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", err)}
	}
	return true
}
