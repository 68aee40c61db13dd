//go:build unix

package socket

import "syscall"

const (
	straightWrites = true
	straightReads  = true
)

// readStraight reads what a non-blocking descriptor has, at its end nothing.
func readStraight(fd uintptr, p []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), p)
		switch err {
		case nil:
			return n, nil
		case syscall.EINTR:
		case syscall.EAGAIN:
			return 0, ErrWouldBlock
		default:
			return 0, err
		}
	}
}

// writeStraight writes to a non-blocking descriptor until it takes no more:
// ErrWouldBlock comes with a short count.
func writeStraight(fd uintptr, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := syscall.Write(int(fd), p[done:])
		switch {
		case n > 0:
			done += n
		case err == syscall.EINTR:
		case err == syscall.EAGAIN || n == 0:
			return done, ErrWouldBlock
		default:
			return done, err
		}
	}
	return done, nil
}
