//go:build unix && !linux

package straight

import "syscall"

func sysWrite(fd uintptr, p []byte) (int, error) { return syscall.Write(int(fd), p) }

func sysRead(fd uintptr, p []byte) (int, error) { return syscall.Read(int(fd), p) }
