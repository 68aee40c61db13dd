package gateway

import (
	"crypto/tls"
	"io"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// What a stalled reader may cost of the kernel's memory for sending (W3).
const stalledKernel = 256 << 10

// SO_MEMINFO of asm-generic/socket.h, which package syscall does not name, and
// what linux/sock_diag.h has in it.
const (
	soMeminfo    = 55
	rmemAlloc    = 0 // memory of what waits to be read
	wmemQueued   = 5 // memory of what waits to be sent or acknowledged
	meminfoCount = 9
)

func meminfo(t testing.TB, of io.Closer) (info [meminfoCount]uint32) {
	t.Helper()
	withDescriptor(t, of, func(fd uintptr) {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, soMeminfo,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			t.Fatalf("SO_MEMINFO: %v", errno)
		}
	})
	return info
}

// withDescriptor calls fn with the descriptor of what a gateway writes to, or a client.
func withDescriptor(t testing.TB, of io.Closer, fn func(fd uintptr)) {
	t.Helper()
	if c, ok := of.(*tls.Conn); ok {
		of = c.NetConn()
	}
	if c, ok := of.(*socket.Conn); ok {
		of = c.TCPConn
	}
	if d, ok := of.(*poll.Desc); ok {
		d.Control(fn)
		return
	}
	raw, err := of.(syscall.Conn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(fn)
}

// kernelOfSlow is the most that our kernel holds for a connection that waits
// for its socket, and how many of these there are.
func (g *Gateway) kernelOfSlow(t testing.TB) (most uint32, n int) {
	t.Helper()
	for _, c := range g.byConn.All() {
		c.mu.Lock()
		slow := c.slow != nil
		c.mu.Unlock()
		if slow {
			n++
			most = max(most, meminfo(t, c.sock.Below())[wmemQueued])
		}
	}
	return most, n
}

// A client that does not read costs the kernel little, whatever it is sent and
// whatever the transport: the rest waits where it is counted.
func TestStalledReadersInTheKernel(t *testing.T) {
	for _, tr := range transports {
		t.Run(tr.name, func(t *testing.T) {
			s := besiege(t, tr, nil)
			const readers = 5
			for range readers {
				s.login("stalled")
			}
			body := strings.Repeat("x", 20_000)
			for events := 0; s.g.Stats().Unsent < 20*readers; events++ {
				if events == 150 { // 3 MB of 4
					t.Fatalf("%d events are unsent: the kernel takes too much", s.g.Stats().Unsent)
				}
				if err := s.g.Publish(t.Context(), "stalled", Event{Type: "E", Data: body}); err != nil {
					t.Fatal(err)
				}
				eventually(t, "it is fanned out", func() bool { return s.g.Stats().Queued == 0 })
			}
			most, n := s.g.kernelOfSlow(t)
			t.Logf("at most %d KB of each of %d", most>>10, n)
			if most > stalledKernel || n != readers {
				t.Errorf("the kernel holds %d KB, %d of %d clients are waited for", most>>10, n, readers)
			}
		})
	}
}
