package socket

import (
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// Listen returns a listener whose TCP connections can be written straight with
// TLS above them. It belongs below TLS.
func Listen(ln net.Listener) net.Listener { return listener{ln} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	nc, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	tcp, ok := nc.(*net.TCPConn)
	if !ok || !straight.Supported {
		return nc, nil
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return nc, nil // it is closed: whoever reads finds out
	}
	return &Conn{TCPConn: tcp, raw: raw}, nil
}

// Conn is a connection of Listen: a TCP connection like any other, until a
// Socket adopts it through the TLS above. From then on Write never blocks and
// never times out: what the kernel does not take at once is kept, in front of
// what comes later, so that a record of TLS is never cut. That holds for TLS'
// own words too, key updates and alerts, which the goroutine that reads writes.
type Conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	adopted atomic.Bool

	// Guarded by mu, which is held for write(2) that do not block and never
	// while waiting. Who waits holds the runtime's lock for writing to the
	// descriptor and takes mu inside; everybody else goes through Control,
	// which does not need that lock.
	mu      sync.Mutex
	rest    *buffer // what the kernel has not taken; nil when that is nothing
	corked  bool    // rest is all that is written to, until flush
	err     error   // latched
	control func(fd uintptr)
	wait    func(fd uintptr) bool
	moved   *atomic.Int64 // of the finish that waits
}

// maxRest bounds what is kept: a batch of tryAtOnce with what TLS adds, and
// plenty of TLS' own words, of which a peer that never reads can provoke as many
// as it likes.
const maxRest = 2 * tryAtOnce

var errUnread = errors.New("socket: the peer provokes answers and does not read them")

// adopt makes Write what it is said to be above.
func (c *Conn) adopt() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.adopted.Load() {
		return
	}
	limitUnsent(c.raw)
	c.TCPConn.SetWriteDeadline(time.Time{})
	c.control = func(fd uintptr) { c.writeRest(fd) }
	c.wait = c.writeWaiting
	c.adopted.Store(true)
}

// Write is what TLS calls.
func (c *Conn) Write(p []byte) (int, error) {
	if !c.adopted.Load() {
		return c.TCPConn.Write(p)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && c.rest != nil && len(c.rest.unwritten())+len(p) > maxRest {
		c.fail(errUnread)
	}
	if c.err != nil {
		return 0, c.err
	}
	if c.rest == nil {
		c.rest = getBuffer()
	}
	c.rest.b = append(c.rest.b, p...)
	if !c.corked {
		c.writeControl()
	}
	return len(p), c.err
}

// cork has Writes kept until flush, which writes them at once: TLS writes each
// record on its own.
func (c *Conn) cork() {
	c.mu.Lock()
	c.corked = true
	c.mu.Unlock()
}

// flush writes what is kept as far as the kernel takes it, and reports with
// ErrWouldBlock that something is still kept.
func (c *Conn) flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.corked = false
	c.writeControl()
	if c.err == nil && c.rest != nil {
		c.rest = c.rest.trim()
		return ErrWouldBlock
	}
	return c.err
}

// writeControl writes what is kept as far as the kernel takes it. mu is held.
func (c *Conn) writeControl() {
	if c.rest == nil || c.err != nil {
		return
	}
	if err := c.raw.Control(c.control); err != nil {
		c.fail(err)
	}
}

// writeRest is writeControl inside Control or Write of the RawConn. mu is held.
func (c *Conn) writeRest(fd uintptr) (n int) {
	if c.rest == nil || c.err != nil {
		return 0
	}
	n, err := straight.Write(fd, c.rest.unwritten())
	c.rest.from += n
	switch {
	case err != nil && err != ErrWouldBlock:
		c.fail(err)
	case err == nil:
		c.rest.free()
		c.rest = nil
	}
	return n
}

// writeWaiting is writeRest for finish: it reports false to be called again
// when the descriptor is writable.
func (c *Conn) writeWaiting(fd uintptr) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.moved.Add(int64(c.writeRest(fd)))
	return c.rest == nil
}

// finish waits until nothing is kept. One caller at a time.
func (c *Conn) finish(moved *atomic.Int64) error {
	c.mu.Lock()
	c.moved = moved
	idle, err := c.rest == nil, c.err
	c.mu.Unlock()
	if idle || err != nil {
		return err
	}
	if err := c.raw.Write(c.wait); err != nil {
		return err // it is closed
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// fail ends writing. mu is held.
func (c *Conn) fail(err error) {
	c.err = err
	if c.rest != nil {
		c.rest.free()
		c.rest = nil
	}
}

// SetDeadline sets the deadline of reads alone once the connection is adopted:
// writes never wait then. TLS sets one that has passed after its last word,
// which would end the wait for what is kept.
func (c *Conn) SetDeadline(t time.Time) error {
	if c.adopted.Load() {
		return c.TCPConn.SetReadDeadline(t)
	}
	return c.TCPConn.SetDeadline(t)
}

// SetWriteDeadline does nothing once the connection is adopted, see SetDeadline.
func (c *Conn) SetWriteDeadline(t time.Time) error {
	if c.adopted.Load() {
		return nil
	}
	return c.TCPConn.SetWriteDeadline(t)
}

// Close drops what is kept.
func (c *Conn) Close() error {
	c.mu.Lock()
	if c.err == nil {
		c.fail(net.ErrClosed)
	}
	c.mu.Unlock()
	return c.TCPConn.Close()
}
