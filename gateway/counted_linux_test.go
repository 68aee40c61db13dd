package gateway

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
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

// dial has n more of them upgraded.
func (c *idlers) dial(n int) {
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
		c.write(fd, []byte("GET /gateway HTTP/1.1\r\nHost: gateway\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
			"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\r\n"))
		c.until(fd, "heartbeat_interval")
	}
}

// join signs n more of them in, each as a user of its own.
func (c *idlers) join(n int) {
	c.t.Helper()
	for range n {
		c.dial(1)
		fd := c.fds[len(c.fds)-1]
		c.write(fd, text(fmt.Sprintf(`{"op":2,"d":{"token":"user-%d","intents":33281}}`, len(c.fds))))
		c.until(fd, "READY")
	}
}

// beat has each of them acknowledge READY.
func (c *idlers) beat() {
	c.t.Helper()
	beat := text(`{"op":1,"d":1}`)
	for _, fd := range c.fds {
		c.write(fd, beat)
		c.until(fd, `"op":11`)
	}
}

func (c *idlers) write(fd int, b []byte) {
	c.t.Helper()
	if _, err := syscall.Write(fd, b); err != nil {
		c.t.Fatal(err)
	}
}

// until reads until something has come.
func (c *idlers) until(fd int, what string) {
	c.t.Helper()
	for n := 0; !bytes.Contains(c.buf[:n], []byte(what)); {
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
func fiveTopics() func(o *Options) {
	var n atomic.Int64
	return func(o *Options) {
		o.Limits.ConnectionsPerAddress = -1
		o.Limits.AcceptRate, o.Limits.IdentifyRate = -1, -1
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			at := n.Add(1)
			topics := []string{"everybody"}
			for i := range 4 {
				topics = append(topics, fmt.Sprintf("guild:%d", (4*at+int64(i))%40))
			}
			return nil, s.Subscribe(ctx, topics...)
		}
	}
}

// used is what is left of heap and stacks after collections: a stack is halved
// once in each.
func used() (heap, stack uint64) {
	var m runtime.MemStats
	for range 4 {
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc, m.StackInuse
}

// A session that waits costs this much and no more: identified, five topics,
// heartbeats, an empty ring, its user online. What is written here is what was
// measured and a tenth.
func TestCountedIdleSession(t *testing.T) { countIdle(t, false, 3650, 4500) }

// With the poller it has no stack.
func TestCountedIdlePolled(t *testing.T) { countIdle(t, true, 2700, 100) }

func countIdle(t *testing.T, poller bool, heapMost, stackMost int64) {
	if raceEnabled {
		t.Skip("the race detector has a heap of its own: make counted")
	}
	const warm, more = 500, 2000
	_, url := testGateway(t, func(o *Options) {
		fiveTopics()(o)
		o.Poller = poller
	})
	c := newIdlers(t, url, warm+more)
	c.join(warm)
	c.beat()
	heap0, stack0 := used()
	c.join(more)
	c.beat()
	heap1, stack1 := used()
	heap, stack := (int64(heap1)-int64(heap0))/more, (int64(stack1)-int64(stack0))/more
	t.Logf("%d bytes of heap, %d of stack", heap, stack)
	if heap > heapMost || stack > stackMost {
		t.Errorf("%d bytes of heap, at most %d; %d of stack, at most %d", heap, heapMost, stack, stackMost)
	}
	if heap < heapMost/2 {
		t.Errorf("%d bytes of heap: the bound of %d guards nothing any more", heap, heapMost)
	}
}

// A connection of the poller has no goroutine while it is quiet.
func TestCountedGoroutines(t *testing.T) {
	const sessions = 300
	for _, poller := range []bool{false, true} {
		t.Run(fmt.Sprintf("poller=%v", poller), func(t *testing.T) {
			_, url := testGateway(t, func(o *Options) {
				fiveTopics()(o)
				o.Poller = poller
				o.OnConnect = func(ConnInfo) {}
			})
			c := newIdlers(t, url, sessions)
			before := runtime.NumGoroutine()
			c.join(sessions)
			c.beat()
			const others = 20 // of the gateway, which come and go
			if !poller {
				if n := runtime.NumGoroutine() - before; n < sessions {
					t.Errorf("%d goroutines for %d sessions: this test counts something else", n, sessions)
				}
				return
			}
			eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before+others })
		})
	}
}

// A heartbeat is answered without a new object.
func TestCountedHeartbeat(t *testing.T) {
	for _, poller := range []bool{false, true} {
		t.Run(fmt.Sprintf("poller=%v", poller), func(t *testing.T) { countHeartbeat(t, poller) })
	}
}

func countHeartbeat(t *testing.T, poller bool) {
	if raceEnabled {
		t.Skip("the race detector drops what pools keep: make counted")
	}
	_, url := testGateway(t, func(o *Options) {
		fiveTopics()(o)
		o.Poller = poller
	})
	c := newIdlers(t, url, 500)
	c.join(500)
	c.beat()
	d := least(t, 500, c.beat)
	t.Logf("per heartbeat: %v", d)
	if d.allocations > 0.1 || d.writes > 2.1 { // one is the client's, in this process
		t.Errorf("%v per heartbeat", d)
	}
}

// counted is what this process has done so far.
type counted struct{ allocations, writes float64 }

func countedNow(t testing.TB) (c counted) {
	t.Helper()
	io, err := os.ReadFile("/proc/self/io")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(io), "syscw: ")
	if _, err := fmt.Sscan(after, &c.writes); err != nil {
		t.Fatal(err)
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	c.allocations = float64(m.Mallocs)
	return c
}

// since is what has been done since then, of n things each.
func (c counted) since(then counted, n int) counted {
	return counted{(c.allocations - then.allocations) / float64(n), (c.writes - then.writes) / float64(n)}
}

// least does something several times, n things at once, and returns what one of
// them costs at least: what goes on beside, as telling of those who have just
// come, only ever adds.
func least(t testing.TB, n int, do func()) (d counted) {
	t.Helper()
	for round := range 20 {
		before := countedNow(t)
		do()
		now := countedNow(t).since(before, n)
		if round == 0 {
			d = now
		}
		d.allocations, d.writes = min(d.allocations, now.allocations), min(d.writes, now.writes)
	}
	return d
}

func (c counted) String() string {
	return fmt.Sprintf("%.3f allocations, %.3f writes", c.allocations, c.writes)
}

// encodings counts how often it is encoded.
type encodings struct{ n *atomic.Int64 }

func (e encodings) MarshalJSON() ([]byte, error) {
	e.n.Add(1)
	return []byte(`{"content":"hello, everybody, this is about as long as a message is"}`), nil
}

// Publishing encodes once, each form that somebody reads is made once, and an
// event costs a delivery no object and one system call, under load less.
func TestCountedDelivery(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector drops what pools keep: make counted")
	}
	g, url := testGateway(t, fiveTopics())
	const subs = 200
	c := newIdlers(t, url, subs)
	c.join(subs)
	var n atomic.Int64
	publish := func(events int) {
		start := g.stats.delivered.Load()
		for range events {
			if err := g.Publish(t.Context(), "everybody", Event{Type: "MESSAGE_CREATE", Data: encodings{&n}}); err != nil {
				t.Fatal(err)
			}
		}
		for g.stats.delivered.Load() < start+subs*uint64(events) {
			runtime.Gosched()
		}
		c.drain()
	}
	publish(100)

	n.Store(0)
	const rounds = 20 // of least
	one := least(t, subs, func() { publish(1) })
	t.Logf("one at a time: %v per delivery, %d encodings of %d events", one, n.Load(), rounds)
	if one.allocations > 0.1 || one.writes > 1.01 {
		t.Errorf("%v per delivery", one)
	}
	if n.Load() != rounds {
		t.Errorf("%d encodings of %d events", n.Load(), rounds)
	}

	many := least(t, subs*16, func() { publish(16) })
	t.Logf("sixteen at once: %v per delivery", many)
	if many.writes > 0.6 || many.allocations > 0.1 {
		t.Errorf("sixteen at once: %v per delivery", many)
	}
}

// drain throws away what has come.
func (c *idlers) drain() {
	for _, fd := range c.fds {
		for {
			n, _, err := syscall.Recvfrom(fd, c.buf, syscall.MSG_DONTWAIT)
			if err != nil && err != syscall.EINTR || n == 0 {
				break
			}
		}
	}
}
