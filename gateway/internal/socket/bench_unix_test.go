//go:build unix

package socket

import (
	"crypto/tls"
	"io"
	"net"
	"syscall"
	"testing"
	"time"
)

// BenchmarkWrite is what TLS over our listener costs, compared to none, and
// what foreign TLS does, whose writes take another goroutine on top of it
// wherever TryWrite is wanted. The figure is ns/write: of writing alone, with room
// in the socket, without the reader that makes the room in between and without
// anybody who would be woken.
func BenchmarkWrite(b *testing.B) {
	sizes := []struct {
		name         string
		bytes, round int
	}{
		{"an event of 300 bytes", 300, 50},
		{"a batch of 16 KB", 16 << 10, 2},
		{"a batch of 48 KB", 48 << 10, 1},
	}
	kinds := []struct {
		name string
		open func(testing.TB) (server, client net.Conn)
	}{
		{"plain", pair},
		{"tls over Listen", func(t testing.TB) (net.Conn, net.Conn) { return tlsPair(t, Listen, &tls.Config{}) }},
		{"foreign tls", func(t testing.TB) (net.Conn, net.Conn) { return tlsPair(t, plain, &tls.Config{}) }},
	}
	for _, size := range sizes {
		for _, kind := range kinds {
			b.Run(size.name+"/"+kind.name, func(b *testing.B) {
				server, client := kind.open(b)
				converse(b, server, client)
				s, p := New(server), make([]byte, size.bytes)
				drain := drainer(b, client)
				write := func() error { _, err := s.TryWrite(p); return err }
				if !s.Straight() {
					write = func() error { return s.Write(p) }
				}
				b.ReportAllocs()
				var writing time.Duration
				for b.Loop() {
					began := time.Now()
					for range size.round {
						if err := write(); err != nil {
							b.Fatal(err)
						}
					}
					writing += time.Since(began)
					drain()
				}
				b.ReportMetric(float64(writing.Nanoseconds())/float64(b.N*size.round), "ns/write")
			})
		}
	}
}

// converse has both ends be where a conversation of a client is: the kernel
// acknowledges the first bytes of a connection at once, and later ones lazily.
func converse(b *testing.B, ends ...net.Conn) {
	word := make([]byte, 100)
	for i := range 100 {
		if _, err := ends[i%2].Write(word); err != nil {
			b.Fatal(err)
		}
		if _, err := io.ReadFull(ends[1-i%2], word); err != nil {
			b.Fatal(err)
		}
	}
}

// drainer returns what empties a connection, which is taken from the runtime's
// poller: who waits there would be woken by every write.
func drainer(b *testing.B, client net.Conn) func() {
	if c, ok := client.(*tls.Conn); ok {
		client = c.NetConn()
	}
	raw, err := client.(*net.TCPConn).SyscallConn()
	if err != nil {
		b.Fatal(err)
	}
	fd := -1
	raw.Control(func(of uintptr) { fd, err = syscall.Dup(int(of)) })
	if err != nil {
		b.Fatal(err)
	}
	client.Close()
	b.Cleanup(func() { syscall.Close(fd) })
	buf := make([]byte, 256<<10)
	return func() {
		for {
			if n, err := syscall.Read(fd, buf); n <= 0 && err != syscall.EINTR {
				return // what was written is here: loopback delivers at once
			}
		}
	}
}
