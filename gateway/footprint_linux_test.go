package gateway

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"
)

// idlers are clients that cost this process nothing but a descriptor each: what
// its heap and its stacks grow by is the gateway's.
type idlers struct {
	t   testing.TB
	to  syscall.SockaddrInet4
	fds []int
	buf []byte
}

func newIdlers(t testing.TB, url string, n int) *idlers {
	t.Helper()
	addr, err := net.ResolveTCPAddr("tcp4", strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/gateway"))
	if err != nil {
		t.Fatal(err)
	}
	c := &idlers{t: t, to: syscall.SockaddrInet4{Port: addr.Port, Addr: [4]byte(addr.IP.To4())}, fds: make([]int, 0, n), buf: make([]byte, 64<<10)}
	t.Cleanup(func() {
		for _, fd := range c.fds {
			syscall.Close(fd)
		}
	})
	return c
}

// join signs n more of them in, each as a user of its own.
func (c *idlers) join(n int) {
	c.t.Helper()
	for range n {
		fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
		if err != nil {
			c.t.Fatal(err)
		}
		c.fds = append(c.fds, fd)
		if err := syscall.Connect(fd, &c.to); err != nil {
			c.t.Fatal(err)
		}
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 20})
		c.write(fd, "GET /gateway HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n")
		c.until(fd, "heartbeat_interval")
		c.write(fd, string(text(fmt.Sprintf(`{"op":2,"d":{"token":"user-%d","intents":33281}}`, len(c.fds)))))
		c.until(fd, "READY")
	}
}

// beat has each of them acknowledge READY.
func (c *idlers) beat() {
	c.t.Helper()
	beat := string(text(`{"op":1,"d":1}`))
	for _, fd := range c.fds {
		c.write(fd, beat)
		c.until(fd, `"op":11`)
	}
}

func (c *idlers) write(fd int, s string) {
	c.t.Helper()
	if _, err := syscall.Write(fd, []byte(s)); err != nil {
		c.t.Fatal(err)
	}
}

// until reads until something has come.
func (c *idlers) until(fd int, what string) {
	c.t.Helper()
	for n := 0; !strings.Contains(string(c.buf[:n]), what); {
		m, err := syscall.Read(fd, c.buf[n:])
		if err == syscall.EINTR {
			continue
		}
		if err != nil || m == 0 {
			c.t.Fatalf("want %s, read %d bytes: %v", what, m, err)
		}
		n += m
	}
}

// fiveTopics subscribes a session to one topic that all have, and to four that
// some hundred have.
func fiveTopics(n *int) func(o *Options) {
	return func(o *Options) {
		o.Limits.ConnectionsPerAddress = -1
		o.Limits.AcceptRate, o.Limits.IdentifyRate = -1, -1
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			*n++
			topics := []string{"everybody"}
			for i := range 4 {
				topics = append(topics, fmt.Sprintf("guild:%d", (*n*4+i)%40))
			}
			return nil, s.Subscribe(ctx, topics...)
		}
	}
}

// used is what is left of heap and stacks after a collection.
func used() (heap, stack uint64) {
	var m runtime.MemStats
	for range 3 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// A session that waits costs this much and no more: identified, five topics,
// heartbeats, an empty ring.
func TestIdleSessionIsSmall(t *testing.T) {
	runtime.MemProfileRate = 1
	const warm, more = 200, 2000
	var n int
	_, url := testGateway(t, fiveTopics(&n))
	c := newIdlers(t, url, warm+more)
	c.join(warm)
	c.beat()
	heap0, stack0 := used()
	c.join(more)
	c.beat()
	time.Sleep(time.Second)
	heap1, stack1 := used()
	t.Logf("%d bytes of heap, %d of stack", (heap1-heap0)/more, (stack1-stack0)/more)
	if f := os.Getenv("HEAPPROF"); f != "" {
		w, _ := os.Create(f)
		pprof.Lookup("heap").WriteTo(w, 0)
		w.Close()
	}
}
