package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// tcp is a TCP connection that is written by write(2), to a descriptor that
// nobody else has: its number is here, next to the Socket, and not behind what
// package net and the runtime keep of a connection, which are six cache lines
// for every write. They were a tenth of what a delivery costs.
type tcp struct {
	// The descriptor is used and closed under mu only, so that a number that was
	// closed and reused cannot receive another connection's bytes. Who waits,
	// to read or to write, does so through file, which has a lock of its own.
	// mu is held for system calls that do not block.
	mu sync.Mutex
	fd int32 // −1 once closed

	file *os.File // static
}

// takeTCP returns a socket that has nc's descriptor, or rather a duplicate: nc is
// closed. Where that cannot be it returns nil, and leaves nc as it is.
func takeTCP(nc *net.TCPConn) *Socket {
	if !straight.Supported {
		return nil
	}
	file, err := nc.File()
	if err != nil {
		return nil
	}
	s := new(struct { // one cache line
		Socket
		tcp
	})
	s.path, s.file, s.fd = &s.tcp, file, -1
	if raw, err := file.SyscallConn(); err == nil {
		raw.Control(func(fd uintptr) { s.fd = int32(fd) })
		limitUnsent(raw)
	}
	nc.Close()
	return &s.Socket
}

func (t *tcp) below() io.Closer { return t }

func (t *tcp) straight() bool { return true }

func (t *tcp) try(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return 0, net.ErrClosed
	}
	return straight.Write(uintptr(t.fd), p)
}

func (t *tcp) gather(parts [][]byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return 0, net.ErrClosed
	}
	return straight.Gather(uintptr(t.fd), parts)
}

// finish has the runtime wait until the descriptor is writable, as often as it
// takes.
func (t *tcp) finish(p []byte, moved *atomic.Int64) (err error) {
	if len(p) == 0 {
		return nil
	}
	raw, err := t.file.SyscallConn()
	if err != nil {
		return err
	}
	closed := raw.Write(func(fd uintptr) bool {
		var n int
		n, err = straight.Write(fd, p)
		moved.Add(int64(n))
		p = p[n:]
		return err != ErrWouldBlock
	})
	if closed != nil {
		return closed
	}
	return err
}

// Close closes the descriptor. Who waits for it is woken.
func (t *tcp) Close() error {
	t.mu.Lock()
	t.fd = -1
	t.mu.Unlock()
	return t.file.Close()
}

// CloseWrite tells the peer that nothing more comes.
func (t *tcp) CloseWrite() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.fd < 0 {
		return net.ErrClosed
	}
	return straight.CloseWrite(uintptr(t.fd))
}

// SyscallConn is the file's.
func (t *tcp) SyscallConn() (syscall.RawConn, error) { return t.file.SyscallConn() }
