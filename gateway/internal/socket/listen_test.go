package socket

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// listenPair is tlsPair over Listen, where that is straight.
func listenPair(t testing.TB, config *tls.Config) (s *Socket, server, client *tls.Conn) {
	t.Helper()
	server, client = tlsPair(t, Listen, config)
	s = New(server)
	if !s.Straight() {
		t.Skip("this platform has no straight writes")
	}
	return s, server, client
}

// What TLS has encrypted is kept as long as the kernel does not take it. Until it
// is out nothing more is taken, and a Write of what is reported as missing waits.
func TestTakenByTLSIsTaken(t *testing.T) {
	s, server, client := listenPair(t, &tls.Config{})
	below := server.NetConn().(*Conn)
	want := pattern(16 << 20)
	total := fill(t, s, want)
	if below.rest == nil {
		t.Fatal("nothing is kept, and it would block")
	}
	if n := len(below.rest.unwritten()); n > tryAtOnce+8<<10 {
		t.Errorf("%d bytes are kept", n)
	}
	if n, err := s.TryWrite(want[total : total+10]); n != 0 || err != ErrWouldBlock {
		t.Errorf("TryWrite behind what is kept: %d, %v", n, err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Write(want[total : total+1]) }()
	expect(t, client, want[:total+1])
	if err := within(t, "Write", func() error { return <-done }); err != nil || below.rest != nil {
		t.Errorf("Write: %v, kept %v", err, below.rest)
	}
}

// adoptedPair is a connection of Listen as it is below TLS.
func adoptedPair(t testing.TB) (*Conn, net.Conn) {
	t.Helper()
	nc, client := tcpPair(t, Listen)
	c, ok := nc.(*Conn)
	if !ok {
		t.Skip("this platform has no straight writes")
	}
	c.adopt()
	return c, client
}

// What is written between cork and flush goes out together, anything else at once.
func TestCork(t *testing.T) {
	c, client := adoptedPair(t)
	c.cork()
	c.Write([]byte("one "))
	c.Write([]byte("two "))
	if c.rest == nil || string(c.rest.unwritten()) != "one two " {
		t.Error("it is not kept")
	}
	if err := c.flush(); err != nil || c.rest != nil {
		t.Errorf("flush: %v, kept %v", err, c.rest)
	}
	c.Write([]byte("three"))
	client.SetReadDeadline(time.Now().Add(3 * time.Second))
	expect(t, client, []byte("one two three"))
}

// finish does not return, and does not turn round and round, before all is out.
// It says when it gets on.
func TestFinishWaits(t *testing.T) {
	c, client := adoptedPair(t)
	want := pattern(100_000)
	total := 0
	for ; c.flush() == nil; total += len(want) {
		c.Write(want)
	}
	var moved atomic.Int64
	done := make(chan error, 1)
	go func() { done <- c.finish(&moved) }()
	select {
	case err := <-done:
		t.Fatalf("it returned, %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	for range total / len(want) {
		expect(t, client, want)
	}
	if err := within(t, "finish", func() error { return <-done }); err != nil || c.rest != nil || moved.Load() == 0 {
		t.Errorf("finish: %v, kept %v, moved %d", err, c.rest, moved.Load())
	}
}

// A little that is kept, maybe for long, does not hold a large buffer.
func TestKeptBufferIsTrimmed(t *testing.T) {
	c, _ := adoptedPair(t)
	for {
		c.cork()
		c.rest = &buffer{b: make([]byte, 0, keepBuffer)}
		c.Write(pattern(1000))
		if c.flush() != nil {
			break
		}
	}
	if left := c.rest.unwritten(); cap(c.rest.b) > 2*len(left)+64 {
		t.Errorf("%d bytes in %d", len(left), cap(c.rest.b))
	}
	full := &buffer{b: pattern(1000)}
	if full.trim() != full {
		t.Error("a full buffer was copied")
	}
}

// Until it is adopted, a connection of Listen is one like any other.
func TestNotAdopted(t *testing.T) {
	nc, client := tcpPair(t, Listen)
	if _, ok := nc.(*Conn); !ok {
		t.Skip("this platform has no straight writes")
	}
	nc.SetDeadline(time.Unix(1, 0))
	if _, err := nc.Write([]byte("x")); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write after its deadline: %v", err)
	}
	if _, err := nc.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after its deadline: %v", err)
	}
	nc.SetDeadline(time.Time{})
	nc.SetWriteDeadline(time.Now().Add(50 * time.Millisecond))
	if _, err := nc.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a write for which there is no room: %v", err)
	}
	go io.Copy(io.Discard, client)
	nc.SetWriteDeadline(time.Time{})
	if _, err := nc.Write(make([]byte, 8<<20)); err != nil {
		t.Errorf("a write that waits: %v", err)
	}
	if err := nc.(*Conn).CloseWrite(); err != nil {
		t.Error(err)
	}
	if _, err := nc.Write([]byte("x")); err == nil {
		t.Error("a write after CloseWrite")
	}
}

// TLS sets deadlines of its own, one of them in the past: no wait for what is
// kept may end by them. Reads have theirs as before.
func TestAdoptedDeadlines(t *testing.T) {
	s, server, client := listenPair(t, &tls.Config{})
	want := pattern(16 << 20)
	total := fill(t, s, want)
	server.SetDeadline(time.Unix(1, 0))
	server.SetWriteDeadline(time.Unix(1, 0))
	if _, err := server.NetConn().Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a read after its deadline: %v", err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Write(want[total : total+1]) }()
	expect(t, client, want[:total+1])
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TLS' goodbye neither waits for a reader that is stalled, nor is it lost for
// one that reads on.
func TestGoodbye(t *testing.T) {
	s, _, client := listenPair(t, &tls.Config{})
	want := pattern(16 << 20)
	total := fill(t, s, want)
	within(t, "CloseWrite", func() error { s.CloseWrite(); return nil })
	done := make(chan error, 1)
	go func() { done <- s.Write(want[total : total+1]) }() // which TLS has
	expect(t, client, want[:total+1])
	if _, err := client.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("behind what was taken: %v", err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	s, _, _ = listenPair(t, &tls.Config{})
	fill(t, s, want)
	within(t, "Close", func() error { s.Close(); return nil })
}

// Close of a foreign tls.Conn does not wait for a reader that is stalled.
func TestForeignTLSClose(t *testing.T) {
	server, _ := tlsPair(t, plain, &tls.Config{})
	s := New(server)
	if s.Straight() {
		t.Fatal("TLS that is not above Listen is straight")
	}
	s.path.(*blocking).stall = 50 * time.Millisecond
	if err := s.Write(make([]byte, 64<<20)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	within(t, "Close", func() error { s.Close(); return nil })
}

// TLS that has not shaken hands would do so in a TryWrite, and wait.
func TestUnfinishedHandshake(t *testing.T) {
	nc, _ := tcpPair(t, Listen)
	s := New(tls.Server(nc, &tls.Config{Certificates: []tls.Certificate{certificate()}}))
	if s.Straight() {
		t.Error("it is straight")
	}
}

// A peer that never reads cannot make us keep answers without end.
func TestProvokedAnswers(t *testing.T) {
	s, server, _ := listenPair(t, &tls.Config{})
	fill(t, s, pattern(16<<20))
	below := server.NetConn().(*Conn)
	var err error
	for written := 0; err == nil && written < 8<<20; written += 24 {
		if below.rest != nil && len(below.rest.unwritten()) > maxRest {
			t.Fatalf("%d bytes are kept", len(below.rest.unwritten()))
		}
		_, err = below.Write(make([]byte, 24))
	}
	if err != errUnread {
		t.Errorf("in the end: %v", err)
	}
	if _, err := s.TryWrite([]byte("x")); err != errUnread {
		t.Errorf("TryWrite: %v", err)
	}
	if err := s.Write(nil); err != errUnread {
		t.Errorf("Write: %v", err)
	}
}

// A key update is answered by the goroutine that reads: it does not wait while
// the reader at the other end is stalled, and what comes out is in order, before
// and behind the change of keys.
func TestKeyUpdate(t *testing.T) {
	var keys keyLog
	s, server, client := listenPair(t, &tls.Config{MinVersion: tls.VersionTLS13, KeyLogWriter: &keys})
	if client.ConnectionState().CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		t.Skip("no AES in this processor, and so another cipher suite")
	}
	want := pattern(16 << 20)
	total := fill(t, s, want) + 1
	waiting := make(chan error, 1)
	go func() { waiting <- s.Write(want[total-1 : total]) }()

	// The client's first records under its traffic keys, asking for an update
	// each: a change of ours, and one of the server's.
	secret := keys.client(t, client.ConnectionState().CipherSuite)
	if _, err := client.NetConn().Write(secret.keyUpdate(t)); err != nil {
		t.Fatal(err)
	}
	secret = secret.next(t)
	if _, err := client.NetConn().Write(append(secret.keyUpdate(t), secret.next(t).data(t, "read")...)); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4)
	err := within(t, "Read", func() error { _, err := io.ReadFull(server, got); return err })
	if err != nil || string(got) != "read" {
		t.Fatalf("%q, %v", got, err)
	}
	expect(t, client, want[:total])
	if err := within(t, "Write", func() error { return <-waiting }); err != nil {
		t.Fatal(err)
	}
	if n, err := s.TryWrite(want[total : total+1000]); n != 1000 || err != nil {
		t.Fatalf("under the new keys: %d, %v", n, err)
	}
	expect(t, client, want[total:total+1000])
}

// The reader's answers and a writer's records at the same time, for the race
// detector, with a client that checks every byte.
func TestKeyUpdatesWhileWriting(t *testing.T) {
	var keys keyLog
	s, server, client := listenPair(t, &tls.Config{MinVersion: tls.VersionTLS13, KeyLogWriter: &keys})
	if client.ConnectionState().CipherSuite == tls.TLS_CHACHA20_POLY1305_SHA256 {
		t.Skip("no AES in this processor, and so another cipher suite")
	}
	want := pattern(8 << 20)
	var others sync.WaitGroup
	others.Go(func() { io.Copy(io.Discard, server) })
	others.Go(func() {
		secret := keys.client(t, client.ConnectionState().CipherSuite)
		for range 12 { // with more than 16 in a row, the client gives up the server
			next := secret.next(t)
			client.NetConn().Write(append(secret.keyUpdate(t), next.data(t, "x")...))
			secret, secret.seq = next, 1
		}
	})
	others.Go(func() { expect(t, client, want) })
	for p := want; len(p) > 0; {
		n, err := s.TryWrite(p[:min(len(p), 10_000)])
		if p = p[n:]; err == ErrWouldBlock {
			err = s.Write(p[:1])
			p = p[1:]
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	client.NetConn().(*net.TCPConn).CloseWrite()
	others.Wait()
}

// keyLog keeps the secrets of a connection, as for Wireshark. Both ends write them.
type keyLog struct {
	mu   sync.Mutex
	text strings.Builder
}

func (k *keyLog) Write(p []byte) (int, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.text.Write(p)
}

// client is the secret under which a client of TLS 1.3 writes.
func (k *keyLog) client(t testing.TB, suite uint16) traffic {
	k.mu.Lock()
	defer k.mu.Unlock()
	if suite != tls.TLS_AES_128_GCM_SHA256 {
		t.Fatalf("cipher suite %x", suite)
	}
	_, line, _ := strings.Cut(k.text.String(), "CLIENT_TRAFFIC_SECRET_0 ")
	line, _, _ = strings.Cut(line, "\n")
	_, text, _ := strings.Cut(line, " ")
	secret, err := hex.DecodeString(text)
	if err != nil || len(secret) != sha256.Size {
		t.Fatalf("secret %q", text)
	}
	return traffic{secret: secret}
}

// traffic writes records of TLS 1.3, which package tls gives no way to: see
// RFC 8446, sections 4.6.3, 5.2 and 7.
type traffic struct {
	secret []byte
	seq    byte
}

func (s traffic) expand(t testing.TB, label string, n int) []byte {
	label = "tls13 " + label
	info := append([]byte{0, byte(n), byte(len(label))}, label...)
	key, err := hkdf.Expand(sha256.New, s.secret, string(append(info, 0)), n)
	if err != nil {
		t.Error(err)
	}
	return key
}

func (s traffic) next(t testing.TB) traffic {
	return traffic{secret: s.expand(t, "traffic upd", sha256.Size)}
}

func (s traffic) record(t testing.TB, kind byte, plain []byte) []byte {
	block, err := aes.NewCipher(s.expand(t, "key", 16))
	if err != nil {
		t.Error(err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		t.Error(err)
	}
	nonce := s.expand(t, "iv", 12)
	nonce[11] ^= s.seq
	plain = append(plain, kind)
	head := []byte{23, 3, 3, 0, byte(len(plain) + aead.Overhead())}
	return aead.Seal(head, nonce, plain, head)
}

func (s traffic) keyUpdate(t testing.TB) []byte { return s.record(t, 22, []byte{24, 0, 0, 1, 1}) }

func (s traffic) data(t testing.TB, text string) []byte { return s.record(t, 23, []byte(text)) }

// What is no TCP is handed on as it is.
func TestListenOfOthers(t *testing.T) {
	ln := Listen(pipes{})
	nc, err := ln.Accept()
	if _, ours := nc.(*Conn); ours || err != nil {
		t.Errorf("%T, %v", nc, err)
	}
	ln = Listen(closed{})
	if nc, err := ln.Accept(); nc != nil || err != net.ErrClosed {
		t.Errorf("%v, %v", nc, err)
	}
}

type pipes struct{ net.Listener }

func (pipes) Accept() (net.Conn, error) { nc, _ := net.Pipe(); return nc, nil }

type closed struct{ net.Listener }

func (closed) Accept() (net.Conn, error) { return nil, net.ErrClosed }
