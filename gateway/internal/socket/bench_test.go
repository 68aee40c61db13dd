package socket

import (
	"crypto/tls"
	"net"
	"testing"
)

// BenchmarkTryWrite is what TLS costs over a plain connection, by our listener
// and as it is otherwise, with a reader that keeps up as well as it can. Its
// reading is in the figures: both ends share the processors.
func BenchmarkTryWrite(b *testing.B) {
	open := map[string]func(b *testing.B) (server, client net.Conn){
		"plain": func(b *testing.B) (net.Conn, net.Conn) { return pair(b) },
		"tls over Listen": func(b *testing.B) (net.Conn, net.Conn) {
			return tlsPair(b, Listen, &tls.Config{})
		},
		"foreign tls": func(b *testing.B) (net.Conn, net.Conn) {
			return tlsPair(b, plain, &tls.Config{})
		},
	}
	for _, size := range []struct {
		name  string
		bytes int
	}{{"an event of 300 bytes", 300}, {"a batch of 16 KB", 16 << 10}, {"a batch of 64 KB", 64 << 10}} {
		for _, kind := range []string{"plain", "tls over Listen", "foreign tls"} {
			b.Run(size.name+"/"+kind, func(b *testing.B) {
				server, client := open[kind](b)
				// Read below TLS: a client's deciphering is not a server's cost.
				below := client
				if c, ok := client.(*tls.Conn); ok {
					below = c.NetConn()
				}
				go func() {
					buf := make([]byte, 256<<10)
					for {
						if _, err := below.Read(buf); err != nil {
							return
						}
					}
				}()
				s := New(server)
				p := make([]byte, size.bytes)
				b.SetBytes(int64(len(p)))
				b.ReportAllocs()
				for b.Loop() {
					n, err := s.TryWrite(p)
					if err == ErrWouldBlock {
						err = s.Write(p[n:])
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
