package socket

import (
	"io"
	"net"
	"sync/atomic"
	"time"
)

// chunk is what is written at once where a write blocks: progress is seen, and
// a deadline is met or missed, by one record of TLS at most.
const chunk = 16 << 10

// blocking is a connection that we cannot look into: a foreign tls.Conn, which
// after one write that would have blocked is dead for ever, or a net.Pipe.
type blocking struct {
	nc    net.Conn
	stall time.Duration // StallTimeout, but for tests
}

func (b *blocking) straight() bool { return false }

func (b *blocking) below() io.Closer { return b.nc }

func (b *blocking) try([]byte) (int, error) { return 0, ErrWouldBlock }

func (b *blocking) finish(p []byte, moved *atomic.Int64) error {
	// A deadline that has passed would fail the next write.
	defer b.nc.SetWriteDeadline(time.Time{})
	for len(p) > 0 {
		if err := b.nc.SetWriteDeadline(time.Now().Add(b.stall)); err != nil {
			return err
		}
		n, err := b.nc.Write(p[:min(len(p), chunk)])
		if err != nil {
			return err
		}
		moved.Add(int64(n))
		p = p[n:]
	}
	return nil
}

// trier is a connection that says itself what it takes.
type trier struct {
	tryWriter
	nc net.Conn
}

func (t *trier) straight() bool { return true }

func (t *trier) below() io.Closer { return t.nc }

func (t *trier) try(p []byte) (int, error) {
	n, err := t.TryWrite(p)
	if n < len(p) && err == nil {
		err = ErrWouldBlock
	}
	return n, err
}

func (t *trier) finish(p []byte, moved *atomic.Int64) error {
	for len(p) > 0 {
		n, err := t.nc.Write(p[:min(len(p), chunk)])
		moved.Add(int64(n))
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
