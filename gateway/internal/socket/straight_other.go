//go:build !unix

package socket

import "syscall"

// Elsewhere every write blocks: TryWrite never succeeds.
const straightWrites = false

func writeStraight(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }

func limitUnsent(syscall.RawConn) {}
