package gatewaytest

import (
	"net"
	"os"
	"syscall"
	"time"
)

// Conn is one end of a [Link]: a net.Conn that can also be closed half way, and
// written to without blocking.
type Conn struct {
	link          *Link
	in, out       *half
	local, remote Addr

	// Guarded by the link's mu.
	closed                bool
	readUntil, writeUntil deadline
}

// Link returns the link whose end c is.
func (c *Conn) Link() *Link { return c.link }

// LocalAddr returns the address of this end.
func (c *Conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr returns the address of the other end.
func (c *Conn) RemoteAddr() net.Addr { return c.remote }

// Read waits for bytes, the other end's close (io.EOF), a reset, or the deadline.
func (c *Conn) Read(p []byte) (int, error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, opError("read", c.remote, net.ErrClosed)
		case c.readUntil.over():
			return 0, opError("read", c.remote, os.ErrDeadlineExceeded)
		case len(p) == 0:
			return 0, nil
		}
		if n, err := c.in.read(p); n > 0 || err != nil {
			return n, opError("read", c.remote, err)
		}
		c.in.changed.Wait()
	}
}

// Write waits until the link has taken all of p. An error comes with the
// number of bytes that it did take.
func (c *Conn) Write(p []byte) (n int, err error) {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	for {
		if err := c.writeError(); err != nil {
			return n, opError("write", c.remote, err)
		}
		n += c.out.take(p[n:], false)
		if n == len(p) {
			return n, nil
		}
		if !c.link.reset {
			c.out.changed.Wait()
		}
	}
}

// TryWrite writes what the link takes at once, which may be nothing, and does
// not wait for the other end. A short count without an error means that it would have. A gateway
// writes to a connection with this method as to a socket that does not block.
func (c *Conn) TryWrite(p []byte) (int, error) {
	c.link.mu.Lock()
	if err := c.writeError(); err != nil {
		c.link.mu.Unlock()
		return 0, opError("write", c.remote, err)
	}
	n, lag := c.out.take(p, true), c.out.lag
	c.link.mu.Unlock()
	if lag > 0 {
		time.Sleep(lag)
	}
	return n, nil
}

func (c *Conn) writeError() error {
	switch {
	case c.closed:
		return net.ErrClosed
	case c.link.reset:
		return errReset
	case c.out.fin:
		return syscall.EPIPE
	case c.writeUntil.over():
		return os.ErrDeadlineExceeded
	}
	return nil
}

// CloseWrite says that nothing more is sent: the other end reads io.EOF behind
// what was.
func (c *Conn) CloseWrite() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if err := c.writeError(); err != nil {
		return opError("close", c.remote, err)
	}
	c.out.finish()
	return nil
}

// Close closes this end. As with TCP, the other one reads io.EOF behind what
// was sent, or finds the link reset when this end leaves bytes unread.
func (c *Conn) Close() error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return opError("close", c.remote, net.ErrClosed)
	}
	c.closed = true
	if len(c.in.buf) > 0 && !c.link.partitioned {
		c.link.kill(nil)
	}
	c.in.deaf, c.in.buf, c.in.under = true, nil, nil
	c.out.finish()
	c.in.wake()
	c.readUntil.set(time.Time{}, nil)
	c.writeUntil.set(time.Time{}, nil)
	if c.link.open--; c.link.open == 0 {
		c.link.gone.Store(true)
	}
	return nil
}

// SetDeadline sets both deadlines. The zero time is none.
func (c *Conn) SetDeadline(t time.Time) error {
	if err := c.SetReadDeadline(t); err != nil {
		return err
	}
	return c.SetWriteDeadline(t)
}

// SetReadDeadline has reads fail from t on.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.setDeadline(&c.readUntil, c.in, t) }

// SetWriteDeadline has writes fail from t on.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.setDeadline(&c.writeUntil, c.out, t) }

func (c *Conn) setDeadline(d *deadline, h *half, t time.Time) error {
	c.link.mu.Lock()
	defer c.link.mu.Unlock()
	if c.closed {
		return opError("set", c.remote, net.ErrClosed)
	}
	d.set(t, h)
	h.wake()
	return nil
}

// deadline is a time, and who is woken then.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) over() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// set has h woken at a time. The link's mu is held.
func (d *deadline) set(at time.Time, h *half) {
	d.at = at
	wait := time.Until(at)
	switch {
	case at.IsZero() || wait <= 0:
		if d.timer != nil {
			d.timer.Stop()
		}
	case d.timer == nil:
		d.timer = time.AfterFunc(wait, func() {
			h.link.mu.Lock()
			defer h.link.mu.Unlock()
			h.wake()
		})
	default:
		d.timer.Reset(wait)
	}
}
