//go:build unix && !linux

package socket

import "syscall"

// limitUnsent keeps the kernel from being a long queue of its own.
func limitUnsent(raw syscall.RawConn) {
	raw.Control(func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_SNDBUF, 128<<10)
	})
}
