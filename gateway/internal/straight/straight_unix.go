//go:build unix

package straight

import "syscall"

// Supported says that there is such a thing here.
const Supported = true

// Read reads what a non-blocking descriptor has, at its end nothing.
func Read(fd uintptr, p []byte) (int, error) {
	for {
		n, err := sysRead(fd, p)
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

// CloseWrite tells the peer of a socket that nothing more comes.
func CloseWrite(fd uintptr) error { return syscall.Shutdown(int(fd), syscall.SHUT_WR) }

// Write writes to a non-blocking descriptor until it takes no more:
// ErrWouldBlock comes with a short count.
func Write(fd uintptr, p []byte) (int, error) {
	done := 0
	for done < len(p) {
		n, err := sysWrite(fd, p[done:])
		switch {
		case n > 0:
			done += n
		case err == syscall.EINTR:
		case err == syscall.EAGAIN || err == nil: // nil: it took nothing
			return done, ErrWouldBlock
		default:
			return done, err
		}
	}
	return done, nil
}
