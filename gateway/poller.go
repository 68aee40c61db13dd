package gateway

import (
	"errors"
	"net"
	"runtime"

	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// With Options.Poller nobody waits for a client to say something: a few loops
// wait for all of them (gateway/internal/poll), and what arrives goes the same
// way that a reader's goroutine sends it, through conn.feed. A loop reads
// whatever is there, as much as that is, and never waits, neither for the rest of
// a frame, which the parser keeps, nor for the application, nor for a client that
// does not read its answers: what may wait has a goroutine for that long.

// loopsFor is how many loops so many processors are worth: a second one on two
// made an echo cost a quarter more.
func loopsFor(processors int) int { return (processors + 3) / 4 }

// openPoller starts the loops, where there is such a thing.
func (g *Gateway) openPoller() (err error) {
	if !g.opts.Poller {
		return nil
	}
	g.poller, err = poll.New(loopsFor(runtime.GOMAXPROCS(0)))
	if errors.Is(err, poll.ErrUnsupported) {
		return nil
	}
	return err
}

// closePoller ends the loops, which have nobody to read any more.
func (g *Gateway) closePoller() {
	if g.poller != nil {
		g.poller.Close()
	}
}

// poll gives a connection to the poller, if that can take it: then only its
// descriptor is left of it.
func (c *conn) poll(nc net.Conn) (*socket.Socket, *polled) {
	if c.gw.poller == nil {
		return nil, nil
	}
	p := &polled{c: c}
	p.state.Store(reading) // by whoever calls begin
	sock, desc, err := socket.Adopt(c.gw.poller, nc, p)
	if err != nil {
		return nil, nil
	}
	p.desc = desc
	return sock, p
}
