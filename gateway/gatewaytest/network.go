package gatewaytest

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"sync"
	"syscall"
	"time"
)

// Network is a network in memory: what listens on it is dialled on it, and
// every connection is a [Link] whose faults a test chooses. All waiting is
// durably blocking, as testing/synctest has it, so a bubble's clock runs on
// while everybody waits for bytes.
//
// Its methods may be called by many goroutines at once.
type Network struct {
	options NetworkOptions

	mu        sync.Mutex
	listeners map[string]*listener
	links     []*Link // oldest first, with some that are gone
	tidyAt    int     // when there are more
	dialled   int
	rng       *rand.Rand
}

// NetworkOptions say how a network behaves. The zero value has no delay.
type NetworkOptions struct {
	// Seed decides whatever is drawn: jitter, and what Disturb does.
	Seed uint64
	// Buffer is how many bytes each direction of a link takes that the other
	// side has not read, as a socket does; 0: 64 KB.
	Buffer int
	// Delay is how long bytes are under way. Jitter, drawn for each write, is
	// added to it; bytes stay in order all the same.
	Delay, Jitter time.Duration
}

// NewNetwork returns a network that nobody listens on.
func NewNetwork(o NetworkOptions) *Network {
	if o.Buffer <= 0 {
		o.Buffer = 64 << 10
	}
	return &Network{
		options:   o,
		listeners: make(map[string]*listener),
		rng:       rand.New(rand.NewPCG(o.Seed, 0)),
	}
}

// Listen returns a listener for what is dialled at addr, which may be any
// text. Its connections have a method TryWrite, see [Conn.TryWrite]. It panics
// when somebody listens there already.
func (n *Network) Listen(addr string) net.Listener {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.listeners[addr] != nil {
		panic("gatewaytest: somebody listens on " + addr)
	}
	ln := &listener{network: n, addr: addr}
	ln.ready.L = &ln.mu
	n.listeners[addr] = ln
	return ln
}

// Dial connects to who listens at addr. It does not wait to be accepted. The
// connection outlives ctx.
func (n *Network) Dial(ctx context.Context, addr string) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	n.mu.Lock()
	ln := n.listeners[addr]
	if ln == nil {
		n.mu.Unlock()
		return nil, opError("dial", Addr(addr), syscall.ECONNREFUSED)
	}
	n.dialled++
	l := newLink(n, n.dialled, addr)
	n.links = append(n.links, l)
	if len(n.links) > n.tidyAt {
		n.tidy()
	}
	n.mu.Unlock()
	if !ln.offer(l.server) {
		l.Kill()
		return nil, opError("dial", Addr(addr), syscall.ECONNREFUSED)
	}
	return l.client, nil
}

// Links returns the links that live, oldest first.
func (n *Network) Links() []*Link {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.tidy()
	return slices.Clone(n.links)
}

// tidy forgets the links that are gone. mu is held.
func (n *Network) tidy() {
	n.links = slices.DeleteFunc(n.links, func(l *Link) bool { return l.gone.Load() })
	n.tidyAt = max(16, 2*len(n.links))
}

// Addr is the address of an end of a link.
type Addr string

// Network returns "memory".
func (Addr) Network() string { return "memory" }

func (a Addr) String() string { return string(a) }

// clientAddr gives every client an address of its own, in the form that
// servers take apart.
func clientAddr(id int) Addr {
	return Addr(fmt.Sprintf("10.%d.%d.%d:%d", id>>16&255, id>>8&255, id&255, 40000+id%20000))
}

// listener hands over the server's ends of what is dialled.
type listener struct {
	network *Network
	addr    string

	mu     sync.Mutex
	ready  sync.Cond
	queue  []*Conn
	closed bool
}

func (ln *listener) offer(c *Conn) bool {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	if ln.closed {
		return false
	}
	ln.queue = append(ln.queue, c)
	ln.ready.Signal()
	return true
}

func (ln *listener) Accept() (net.Conn, error) {
	ln.mu.Lock()
	defer ln.mu.Unlock()
	for len(ln.queue) == 0 && !ln.closed {
		ln.ready.Wait()
	}
	if ln.closed {
		return nil, opError("accept", Addr(ln.addr), net.ErrClosed)
	}
	c := ln.queue[0]
	ln.queue = ln.queue[1:]
	return c, nil
}

// Close ends the listener; who was not accepted yet is reset.
func (ln *listener) Close() error {
	ln.network.mu.Lock()
	if ln.network.listeners[ln.addr] == ln {
		delete(ln.network.listeners, ln.addr)
	}
	ln.network.mu.Unlock()

	ln.mu.Lock()
	waiting := ln.queue
	ln.queue, ln.closed = nil, true
	ln.ready.Broadcast()
	ln.mu.Unlock()
	for _, c := range waiting {
		c.link.Kill()
	}
	return nil
}

func (ln *listener) Addr() net.Addr { return Addr(ln.addr) }

// opError is how package net reports what went wrong. io.EOF stays itself.
func opError(op string, addr Addr, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	return &net.OpError{Op: op, Net: addr.Network(), Addr: addr, Err: err}
}
