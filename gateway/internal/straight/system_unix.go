// Also under the race detector: to it, what is written to a socket happens before
// it is read, as package syscall tells it.

//go:build unix && (!linux || race)

package straight

import "syscall"

func sysWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }

func sysRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }
