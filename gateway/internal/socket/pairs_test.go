package socket

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"math/big"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// tcpPair returns both ends of a TCP connection on loopback, the server's as
// wrap has its listener make it.
func tcpPair(t testing.TB, wrap func(net.Listener) net.Listener) (server, client net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln = wrap(ln)
	defer ln.Close()
	if client, err = net.Dial("tcp", ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if server, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func plain(ln net.Listener) net.Listener { return ln }

func pair(t testing.TB) (server, client net.Conn) { return tcpPair(t, plain) }

var certificate = sync.OnceValue(func() tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		panic(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
})

// tlsPair returns both ends of TLS over a connection of a listener that wrap made.
func tlsPair(t testing.TB, wrap func(net.Listener) net.Listener, config *tls.Config) (server, client *tls.Conn) {
	t.Helper()
	config = config.Clone()
	config.InsecureSkipVerify = true // of the certificate above
	config.Certificates = []tls.Certificate{certificate()}
	s, c := tcpPair(t, wrap)
	server, client = tls.Server(s, config), tls.Client(c, config)
	done := make(chan error, 1)
	go func() { done <- client.Handshake() }()
	if err := server.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); c.Close() }) // before TLS would wait for its goodbye
	return server, client
}

// memory is a connection in memory that takes as much as it has room for.
type memory struct {
	net.Conn // nil: nothing else is called

	mu     sync.Mutex
	change sync.Cond
	held   []byte
	closed bool
}

const memoryRoom = 100_000

func newMemory() *memory {
	m := new(memory)
	m.change.L = &m.mu
	return m
}

func (m *memory) TryWrite(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return 0, net.ErrClosed
	}
	n := min(len(p), memoryRoom-len(m.held))
	m.held = append(m.held, p[:n]...)
	m.change.Broadcast()
	return n, nil
}

func (m *memory) Write(p []byte) (done int, err error) {
	for {
		n, err := m.TryWrite(p[done:])
		if done += n; done == len(p) || err != nil {
			return done, err
		}
		m.mu.Lock()
		for len(m.held) == memoryRoom && !m.closed {
			m.change.Wait()
		}
		m.mu.Unlock()
	}
}

// Read is the other end's.
func (m *memory) Read(p []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.held) == 0 && !m.closed {
		m.change.Wait()
	}
	n := copy(p, m.held)
	m.held = append(m.held[:0], m.held[n:]...)
	m.change.Broadcast()
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (m *memory) Close() error {
	m.mu.Lock()
	m.closed = true
	m.change.Broadcast()
	m.mu.Unlock()
	return nil
}

// kinds are the straight paths: the server's end, and what the client reads.
var kinds = []struct {
	name string
	open func(t testing.TB) (server net.Conn, client io.Reader)
}{
	{"tcp", func(t testing.TB) (net.Conn, io.Reader) { return pair(t) }},
	{"tcp of Listen", func(t testing.TB) (net.Conn, io.Reader) { return tcpPair(t, Listen) }},
	{"tls 1.3 over Listen", func(t testing.TB) (net.Conn, io.Reader) { return tlsPair(t, Listen, &tls.Config{}) }},
	{"tls 1.2 over Listen", func(t testing.TB) (net.Conn, io.Reader) {
		return tlsPair(t, Listen, &tls.Config{MaxVersion: tls.VersionTLS12})
	}},
	{"in memory", func(testing.TB) (net.Conn, io.Reader) { m := newMemory(); return m, m }},
}

// onStraight runs a test on every straight path of this platform.
func onStraight(t *testing.T, f func(t *testing.T, s *Socket, server net.Conn, client io.Reader)) {
	for _, kind := range kinds {
		t.Run(kind.name, func(t *testing.T) {
			server, client := kind.open(t)
			s := New(server)
			if !s.Straight() {
				if straight.Supported {
					t.Fatal("it is not straight")
				}
				t.Skip("this platform has no straight writes")
			}
			f(t, s, server, client)
		})
	}
}

// pattern is n bytes in which every place is told from its neighbours.
func pattern(n int) []byte {
	p := make([]byte, n)
	x := uint32(1)
	for i := range p {
		x = x*1664525 + 1013904223
		p[i] = byte(x >> 24)
	}
	return p
}

// fill writes by TryWrite until it would block, and returns how much was taken.
func fill(t testing.TB, s *Socket, p []byte) int {
	t.Helper()
	for total := 0; ; {
		n, err := s.TryWrite(p[total:min(len(p), total+60_000)])
		total += n
		if err == ErrWouldBlock {
			return total
		}
		if err != nil || total == len(p) {
			t.Fatalf("a reader that reads nothing took %d bytes; %v", total, err)
		}
	}
}

// expect reads want, and nothing else.
func expect(t testing.TB, client io.Reader, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if n, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes of %d came, or others; %v", n, len(want), err)
	}
}

// within fails unless f returns soon: what it waits for does not happen otherwise.
func within(t testing.TB, what string, f func() error) error {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- f() }()
	select {
	case err := <-done:
		return err
	case <-time.After(3 * time.Second):
		t.Fatal(what + " does not return")
		return errors.New("unreached")
	}
}
