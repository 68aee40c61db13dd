//go:build !unix

package socket

import "syscall"

func limitUnsent(syscall.RawConn) {}
