//go:build unix

package socket

import "syscall"

const straightWrites = true

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
