package socket

import "syscall"

// TCP_NOTSENT_LOWAT of linux/tcp.h, which package syscall does not name.
const tcpNotsentLowat = 25

// limitUnsent keeps the kernel from being a queue of its own: beyond 16 KB that
// have not even left the machine a write would block, so that what is late
// waits where it is counted. Measured without it: a stalled reader took 4.1 MB.
func limitUnsent(raw syscall.RawConn) {
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpNotsentLowat, 16<<10)
	})
}
