package socket

import (
	"io"
	"net"
	"sync/atomic"

	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
)

// Adopt has a poller watch a plain TCP connection, of which only the descriptor
// is left then: nc is closed. Any other connection is left as it is, with an
// error.
func Adopt(p *poll.Poller, nc net.Conn, h poll.Handler) (*Socket, *poll.Desc, error) {
	tcp := tcpOf(nc)
	if tcp == nil {
		return nil, nil, poll.ErrUnsupported
	}
	if raw, err := tcp.SyscallConn(); err == nil {
		limitUnsent(raw)
	}
	d, err := p.Adopt(tcp, h)
	if err != nil {
		return nil, nil, err
	}
	nc.Close()
	return &Socket{path: polled{d}}, d, nil
}

// polled is a descriptor that a poller watches.
type polled struct{ d *poll.Desc }

func (p polled) straight() bool { return true }

func (p polled) below() io.Closer { return p.d }

func (p polled) try(b []byte) (int, error) {
	return p.d.Write(b)
}

func (p polled) gather(parts [][]byte) (int, error) { return p.d.Gather(parts) }

func (p polled) finish(b []byte, moved *atomic.Int64) error {
	for {
		n, writable, err := p.d.WriteOrWait(b)
		moved.Add(int64(n))
		if writable == nil {
			return err
		}
		b = b[n:]
		<-writable
	}
}
