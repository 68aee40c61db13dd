package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// Reader is the reading side of a connection. A TCP connection is read into
// memory that is only held while there is something in it: of ten thousand that
// are quiet, none has a buffer. One goroutine at a time may use it.
type Reader struct {
	from  source
	early []byte // what was read by somebody else

	raw  syscall.RawConn       // nil: only from can be read
	take func(fd uintptr) bool // read, made once
	held *arrived              // what Next returned a part of; nil: nothing
	n    int
	err  error

	own []byte // what from is read into
}

// source is what can be read of a connection: itself, or the file that is left.
type source interface {
	io.Reader
	SetReadDeadline(t time.Time) error
}

// arrived is what is read at once: more than most clients ever send.
type arrived [4 << 10]byte

var arrivals = sync.Pool{New: func() any { return new(arrived) }}

// ownBuffer is what is read at once where a buffer must be held all the time.
const ownBuffer = 512

// NewReader returns a reader of what s writes to, of which early was read before.
// It is not for what [Adopt] returns: a poller reads that.
func NewReader(s *Socket, early []byte) *Reader {
	r := &Reader{early: early}
	if t, ok := s.path.(*tcp); ok {
		r.from = t.file
		if raw, err := t.file.SyscallConn(); err == nil { // else whoever reads finds out
			r.raw, r.take = raw, r.read
		}
	} else {
		r.from = s.Below().(net.Conn)
	}
	if r.raw == nil {
		r.own = make([]byte, ownBuffer)
	}
	return r
}

// Next waits for bytes and returns them. They are the caller's until it calls
// again. Deadlines are the connection's.
func (r *Reader) Next() ([]byte, error) {
	if b := r.early; len(b) > 0 {
		r.early = nil
		return b, nil
	}
	if r.raw == nil {
		n, err := r.from.Read(r.own)
		if n > 0 {
			err = nil // it comes again
		}
		return r.own[:n], err
	}
	if r.held != nil {
		arrivals.Put(r.held)
		r.held = nil
	}
	if err := r.raw.Read(r.take); err != nil {
		return nil, err
	}
	if r.held == nil {
		return nil, r.err
	}
	return r.held[:r.n], nil
}

// read reports false to be called again when the descriptor is readable.
func (r *Reader) read(fd uintptr) bool {
	b := arrivals.Get().(*arrived)
	n, err := straight.Read(fd, b[:])
	if n > 0 {
		r.held, r.n = b, n
		return true
	}
	arrivals.Put(b)
	switch err {
	case ErrWouldBlock:
		return false
	case nil:
		r.err = io.EOF
	default:
		r.err = os.NewSyscallError("read", err)
	}
	return true
}

// Discard throws away what comes, for so long and so much at most.
func (r *Reader) Discard(within time.Duration, bytes int64) {
	r.from.SetReadDeadline(time.Now().Add(within))
	io.CopyN(io.Discard, r.from, bytes)
}
