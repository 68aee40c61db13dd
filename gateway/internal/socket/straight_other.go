//go:build !unix

package socket

import "syscall"

// Elsewhere every write blocks, and TryWrite never succeeds; so does every read.
const (
	straightWrites = false
	straightReads  = false
)

func readStraight(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }

func writeStraight(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }

func limitUnsent(syscall.RawConn) {}
