package nats_test

import (
	"io"
	"net"
	"sync"
	"testing"
)

// proxy is between a client and a server. What it is told to hold up waits, as on a network that lets
// nothing through, and comes late.
type proxy struct {
	listener net.Listener
	to       string
	mu       sync.Mutex
	flowing  *sync.Cond // with mu: held is false, or over is true
	held     bool
	over     bool
	conns    []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l, to: to}
	p.flowing = sync.NewCond(&p.mu)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", to)
			if err != nil {
				near.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, near, far)
			p.mu.Unlock()
			all.Go(func() { p.carry(near, far) })
			all.Go(func() { p.carry(far, near) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		p.over = true
		p.flowing.Broadcast()
		p.mu.Unlock()
		p.Cut()
		all.Wait()
	})
	return p
}

func (p *proxy) Addr() string { return p.listener.Addr().String() }

// Hold has nothing come through, or all that waited.
func (p *proxy) Hold(held bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.held = held
	p.flowing.Broadcast()
}

// Cut ends all connections, and what waits is lost.
func (p *proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		c.Close()
	}
	p.conns = nil
}

func (p *proxy) carry(to io.WriteCloser, from io.ReadCloser) {
	defer to.Close()
	defer from.Close()
	some := make([]byte, 32<<10)
	for {
		n, err := from.Read(some)
		p.mu.Lock()
		for p.held && !p.over {
			p.flowing.Wait()
		}
		p.mu.Unlock()
		if n > 0 {
			if _, err := to.Write(some[:n]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}
