package socket

import (
	"net"
	"syscall"
	"testing"
	"unsafe"
)

// SO_MEMINFO of asm-generic/socket.h, which package syscall does not name, and
// what linux/sock_diag.h has in it.
const (
	soMeminfo    = 55
	rmemAlloc    = 0 // memory of what waits to be read
	wmemQueued   = 5 // memory of what waits to be sent or acknowledged
	meminfoCount = 9
)

func meminfo(t testing.TB, c syscall.Conn) (info [meminfoCount]uint32) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	raw.Control(func(fd uintptr) {
		size := uint32(unsafe.Sizeof(info))
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, syscall.SOL_SOCKET, soMeminfo,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		if errno != 0 {
			t.Skipf("SO_MEMINFO: %v", errno)
		}
	})
	return info
}

// A reader that is stalled holds little memory of our kernel (W3). What its own
// holds, on loopback the same machine's, is the receive window it has announced.
func TestKernelMemoryOfAStalledReader(t *testing.T) {
	tests := []struct {
		name  string
		step  int
		limit uint32
	}{
		{"large writes", 60_000, 256 << 10},
		{"small writes", 200, 256 << 10},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			server, client := pair(t)
			s := New(server)
			total, block := 0, make([]byte, tt.step)
			for {
				n, err := s.TryWrite(block)
				if total += n; err == ErrWouldBlock {
					break
				}
				if err != nil || total > 64<<20 {
					t.Fatalf("%d bytes were taken; %v", total, err)
				}
			}
			ours := meminfo(t, s.Below().(syscall.Conn))[wmemQueued]
			theirs := meminfo(t, client.(*net.TCPConn))[rmemAlloc]
			t.Logf("taken %d; memory of the sending side %d, of the receiving side %d", total, ours, theirs)
			if ours > tt.limit {
				t.Errorf("the sending side holds %d bytes", ours)
			}
		})
	}
}
