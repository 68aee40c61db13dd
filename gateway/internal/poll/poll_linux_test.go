package poll

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// handler echoes, counts, and says what it was told.
type handler struct {
	desc    atomic.Pointer[Desc]
	ready   chan bool // drain, of each call
	closed  atomic.Int64
	onReady func(d *Desc, buf []byte, drain bool) bool
}

func (h *handler) Ready(buf []byte, drain bool) bool {
	d := h.desc.Load()
	if h.ready != nil {
		h.ready <- drain
	}
	if h.onReady != nil && d != nil {
		return h.onReady(d, buf, drain)
	}
	return false
}

func (h *handler) Closed() { h.closed.Add(1) }

func testPoller(t testing.TB, loops int) *Poller {
	t.Helper()
	p, err := New(loops)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// pair returns both ends of a TCP connection.
func pair(t testing.TB) (server, client *net.TCPConn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	s, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { c.Close() })
	return s.(*net.TCPConn), c.(*net.TCPConn)
}

// adopt has the poller watch one end; the other is returned.
func adopt(t testing.TB, p *Poller, h *handler) (*Desc, *net.TCPConn) {
	t.Helper()
	server, client := pair(t)
	d, err := p.Adopt(server, h)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	h.desc.Store(d)
	t.Cleanup(func() { d.Close() })
	return d, client
}

// echo sends back what it reads, of any length.
func echo(d *Desc, buf []byte, drain bool) bool {
	for {
		n, err := d.Read(buf)
		if n == 0 || err != nil {
			return false
		}
		d.Write(buf[:n])
		if n < len(buf) && !drain {
			return false
		}
	}
}

func TestEcho(t *testing.T) {
	p := testPoller(t, 2)
	var clients sync.WaitGroup
	for i := range 50 {
		_, c := adopt(t, p, &handler{onReady: echo})
		clients.Go(func() {
			for n := range 100 {
				send := bytes.Repeat([]byte{byte(i)}, 1+n*37)
				c.Write(send)
				got := make([]byte, len(send))
				if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, send) {
					t.Errorf("connection %d, round %d: %v", i, n, err)
					return
				}
			}
		})
	}
	clients.Wait()
}

// Bytes and an end that arrive together are told so: a short read does not mean
// that nothing is left.
func TestEndBehindBytes(t *testing.T) {
	p := testPoller(t, 1)
	h := &handler{ready: make(chan bool, 100)}
	d, c := adopt(t, p, h)
	c.Write([]byte("last words"))
	c.CloseWrite()
	for drain := range h.ready {
		if drain {
			break
		}
	}
	buf := make([]byte, 100)
	if n, err := d.Read(buf); err != nil || string(buf[:n]) != "last words" {
		t.Errorf("read %q, %v", buf[:n], err)
	}
	if n, err := d.Read(buf); err != nil || n != 0 {
		t.Errorf("read %d, %v behind the end", n, err)
	}
	if _, err := d.Write([]byte("x")); err != nil {
		t.Errorf("a half-closed peer cannot be written to: %v", err)
	}
}

// Urgent data ends a read early: what is behind it must be asked for.
func TestUrgentData(t *testing.T) {
	p := testPoller(t, 1)
	got := make(chan byte, 100)
	_, c := adopt(t, p, &handler{onReady: func(d *Desc, buf []byte, drain bool) bool {
		for {
			n, err := d.Read(buf)
			for _, b := range buf[:max(0, n)] {
				got <- b
			}
			if n <= 0 || err != nil || n < len(buf) && !drain {
				return false
			}
		}
	}})
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		for _, part := range []struct {
			text  string
			flags int
		}{{"abc", 0}, {"!", syscall.MSG_OOB}, {"def", 0}} {
			if err := syscall.Sendto(int(fd), []byte(part.text), part.flags, nil); err != nil {
				t.Error(err)
			}
		}
	})
	for _, want := range []byte("abcdef") {
		if b := <-got; b != want {
			t.Fatalf("read %c, want %c", b, want)
		}
	}
}

func TestReset(t *testing.T) {
	p := testPoller(t, 1)
	h := &handler{ready: make(chan bool, 100)}
	d, c := adopt(t, p, h)
	c.SetLinger(0)
	c.Close()
	for drain := range h.ready {
		if drain {
			break
		}
	}
	if _, err := d.Read(make([]byte, 1)); err != syscall.ECONNRESET {
		t.Errorf("read: %v", err)
	}
}

// Who waits for a full socket is woken when the peer reads, and when it closes.
func TestWriteOrWait(t *testing.T) {
	p := testPoller(t, 1)
	d, c := adopt(t, p, &handler{onReady: echo})
	big := make([]byte, 16<<20)
	sent := make(chan error)
	go func() {
		rest := big
		for {
			n, writable, err := d.WriteOrWait(rest)
			if rest = rest[n:]; err != nil || writable == nil {
				sent <- err
				return
			}
			<-writable
		}
	}()
	if n, err := io.ReadFull(c, make([]byte, len(big))); err != nil {
		t.Fatalf("read %d: %v", n, err)
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
	for {
		_, writable, err := d.WriteOrWait(big)
		if err != nil {
			t.Fatal(err)
		}
		if writable == nil {
			continue
		}
		d.Close()
		<-writable
		break
	}
	if _, _, err := d.WriteOrWait(big); err != net.ErrClosed {
		t.Errorf("write to what is closed: %v", err)
	}
}

// One that always has more to read does not keep others from theirs, and is
// asked again until it has no more.
func TestTurns(t *testing.T) {
	p := testPoller(t, 1)
	turns := make(chan int, 1)
	var left atomic.Int64
	left.Store(1000)
	adoptGreedy, c := adopt(t, p, &handler{onReady: func(d *Desc, _ []byte, _ bool) bool {
		if left.Add(-1) == 0 {
			turns <- 1
		}
		return left.Load() > 0
	}})
	_, healthy := adopt(t, p, &handler{onReady: echo})
	c.Write([]byte("x"))
	healthy.Write([]byte("y"))
	if _, err := io.ReadFull(healthy, make([]byte, 1)); err != nil {
		t.Error(err)
	}
	<-turns
	adoptGreedy.Close()
}

// Nobody's bytes go to another, and no event of one that is gone is told to the
// next in its place, while descriptors and places are used again and again.
func TestReuse(t *testing.T) {
	p := testPoller(t, 2)
	rounds := 300
	if testing.Short() {
		rounds = 50
	}
	var workers sync.WaitGroup
	for w := range 4 {
		workers.Go(func() {
			for round := range rounds {
				id := binary.BigEndian.AppendUint64(nil, uint64(w)<<32|uint64(round))
				d, c := adopt(t, p, &handler{onReady: func(d *Desc, buf []byte, _ bool) bool {
					n, _ := d.Read(buf)
					if n > 0 && !bytes.Equal(buf[:n], id) {
						t.Errorf("%x reads %x", id, buf[:n])
					}
					return false
				}})
				c.Write(id)
				// Two that write to the end and beyond, as a worker does that has not
				// heard of a close.
				var late sync.WaitGroup
				for range 2 {
					late.Go(func() {
						for range 20 {
							d.Write(id)
						}
					})
				}
				if round%2 == 0 {
					d.Close()
				}
				late.Wait()
				d.Close()
				got, _ := io.ReadAll(c)
				if len(got)%8 != 0 || !bytes.Equal(got, bytes.Repeat(id, len(got)/8)) {
					t.Errorf("%x was sent %x", id, got)
				}
				c.Close()
			}
		})
	}
	workers.Wait()
	for _, l := range p.loops {
		if len(l.slots) > 100 {
			t.Errorf("%d places for at most 4 connections", len(l.slots))
		}
	}
}

// An event that comes late finds that its place has another generation.
func TestLateEvent(t *testing.T) {
	l, err := newLoop()
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	server, _ := pair(t)
	first := &Desc{loop: l, handler: &handler{}, fd: dup(t, server)}
	if err := l.add(first); err != nil {
		t.Fatal(err)
	}
	for !l.poll(uintptr(l.fd)) { // it is writable: an event for the first
	}
	first.Close()
	second := &Desc{loop: l, handler: &handler{}, fd: dup(t, server)}
	if err := l.add(second); err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if second.slot != first.slot {
		t.Fatal("the place is not used again: this test shows nothing")
	}
	if l.look(); len(l.told) != 0 {
		t.Error("the second is told what was for the first")
	}
	for !l.poll(uintptr(l.fd)) {
	}
	if l.look(); len(l.told) != 1 || l.told[0].desc != second {
		t.Error("the second is not told of its own")
	}
}

func dup(t *testing.T, nc *net.TCPConn) (fd int32) {
	raw, err := nc.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(of uintptr) {
		n, err := duplicate(of)
		if err != nil {
			t.Fatal(err)
		}
		fd = int32(n)
	})
	return fd
}

func TestClose(t *testing.T) {
	before := runtime.NumGoroutine()
	p, err := New(2)
	if err != nil {
		t.Fatal(err)
	}
	h := &handler{}
	d, c := adopt(t, p, h)
	d.Close()
	d.Close()
	if n := h.closed.Load(); n != 1 {
		t.Errorf("told %d times of its close", n)
	}
	if _, err := c.Read(make([]byte, 1)); err != io.EOF {
		t.Errorf("the peer reads %v", err)
	}
	d.CloseWrite()
	if _, err := d.Read(nil); err != net.ErrClosed {
		t.Errorf("read: %v", err)
	}
	p.Close()
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines, %d before", n, before)
	}
	server, _ := pair(t)
	defer server.Close()
	if _, err := p.Adopt(server, h); err == nil {
		t.Error("a closed poller adopts")
	}
}

// A round trip costs no memory on this side.
func TestAllocations(t *testing.T) {
	p := testPoller(t, 1)
	_, c := adopt(t, p, &handler{onReady: echo})
	buf := make([]byte, 16)
	if n := testing.AllocsPerRun(500, func() {
		c.Write(buf)
		io.ReadFull(c, buf)
	}); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

// BenchmarkEcho is a round trip of 16 bytes by the loops in the runtime's poller,
// and by ones that block in epoll_wait. The clients are in this process.
func BenchmarkEcho(b *testing.B) {
	for _, loops := range []int{1, 2} {
		for _, blocking := range []bool{false, true} {
			for _, clients := range []int{1, 64} {
				b.Run(fmt.Sprintf("loops=%d/blocking=%v/clients=%d", loops, blocking, clients), func(b *testing.B) {
					p := testPoller(b, loops)
					if blocking {
						blockInstead(b, p)
					}
					var left atomic.Int64
					left.Store(int64(b.N))
					var wg sync.WaitGroup
					conns := make([]*net.TCPConn, clients)
					for i := range conns {
						_, conns[i] = adopt(b, p, &handler{onReady: echo})
					}
					began := cpu()
					b.ResetTimer()
					for _, c := range conns {
						wg.Go(func() {
							buf := make([]byte, 16)
							for left.Add(-1) >= 0 {
								c.Write(buf)
								if _, err := io.ReadFull(c, buf); err != nil {
									b.Error(err)
									return
								}
							}
						})
					}
					wg.Wait()
					b.ReportMetric(float64(cpu()-began)/float64(b.N), "cpu-ns/op")
				})
			}
		}
	}
}

func cpu() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// blockInstead ends the loops and runs their turns from blocking epoll_waits.
func blockInstead(b *testing.B, p *Poller) {
	p.Close()
	var running sync.WaitGroup
	var over atomic.Bool
	for i := range p.loops {
		l, err := newLoop()
		if err != nil {
			b.Fatal(err)
		}
		p.loops[i] = l
		running.Go(func() {
			for !over.Load() {
				n, _ := syscall.EpollWait(l.fd, l.events, 20)
				l.n = max(0, n)
				l.turn()
			}
		})
	}
	b.Cleanup(func() { over.Store(true); running.Wait() })
}
