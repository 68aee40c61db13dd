package interop

import (
	"bytes"
	"io"
	"net"
	"sync"
	"testing"
)

// proxy stands between a bot and the chat, and cuts gateway connections. It
// leaves those of the HTTP API alone: whether a library asks again is no
// matter of ours.
type proxy struct {
	ln   net.Listener
	to   string
	done sync.WaitGroup // what pipes

	mu       sync.Mutex
	gateways map[*link]bool // those that are open
	opened   []*link        // all there have been
}

// link is one connection and its other half.
type link struct {
	client, server *net.TCPConn

	// Guarded by the proxy's mu.
	request string // the first line of the one for a gateway
	head    []byte // of what came back, up to the first message
	seen    bool   // that has come
	binary  bool   // and is
}

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{ln: ln, to: to, gateways: make(map[*link]bool)}
	p.done.Go(p.accept)
	t.Cleanup(func() {
		ln.Close()
		p.cut(true)
		p.done.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.ln.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(client.(*net.TCPConn)) })
	}
}

func (p *proxy) serve(client *net.TCPConn) {
	defer client.Close()
	server, err := net.Dial("tcp", p.to)
	if err != nil {
		return
	}
	defer server.Close()
	l := &link{client: client, server: server.(*net.TCPConn)}
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.gateways, l)
	}()
	var back sync.WaitGroup
	back.Go(func() {
		io.Copy(writer(func(b []byte) (int, error) {
			p.answered(l, b)
			return client.Write(b)
		}), server)
		client.CloseWrite()
	})
	io.Copy(writer(func(b []byte) (int, error) {
		p.asked(l, b)
		return server.Write(b)
	}), client)
	l.server.CloseWrite()
	back.Wait()
}

type writer func([]byte) (int, error)

func (w writer) Write(b []byte) (int, error) { return w(b) }

// asked looks for the request that makes a gateway of a connection, which may
// have carried others before. Its head comes in one piece from all clients there are.
func (p *proxy) asked(l *link, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.request == "" && bytes.Contains(bytes.ToLower(b), []byte("upgrade: websocket")) {
		line, _, _ := bytes.Cut(b, []byte("\r\n"))
		l.request = string(line)
		p.gateways[l] = true
		p.opened = append(p.opened, l)
	}
}

// answered looks for the first message behind the handshake.
func (p *proxy) answered(l *link, b []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.request == "" || l.seen {
		return
	}
	l.head = append(l.head, b...)
	if _, frame, ok := bytes.Cut(l.head, []byte("\r\n\r\n")); ok && len(frame) > 0 {
		l.seen, l.binary = true, frame[0]&0xf == 2
	}
}

// cut ends all gateway connections, on both sides, as a lost network does: with
// a reset, or with an end of the stream that nobody announced.
func (p *proxy) cut(reset bool) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.gateways {
		for _, conn := range []*net.TCPConn{l.client, l.server} {
			if reset {
				conn.SetLinger(0)
			}
			conn.Close()
		}
	}
	return len(p.gateways)
}

// links are the gateway connections that there have been.
func (p *proxy) links() (all []link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.opened {
		all = append(all, *l)
	}
	return all
}
