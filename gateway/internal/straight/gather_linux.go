//go:build !race

package straight

import (
	"syscall"
	"unsafe"
)

// Gathers says that there is Gather here.
const Gathers = true

// mostParts is how many pieces one writev(2) is given: a batch of the gateway
// has fewer, and the kernel takes 1,024.
const mostParts = 64

// Gather is Write of several pieces.
func Gather(fd uintptr, parts [][]byte) (done int, err error) {
	var vectors [mostParts]syscall.Iovec
	for len(parts) > 0 {
		n, size := 0, 0
		for ; n < min(len(parts), mostParts); n++ {
			vectors[n].Base = unsafe.SliceData(parts[n])
			vectors[n].SetLen(len(parts[n]))
			size += len(parts[n])
		}
		wrote, _, errno := syscall.RawSyscall(syscall.SYS_WRITEV, fd, uintptr(unsafe.Pointer(&vectors[0])), uintptr(n))
		switch errno {
		case 0:
			done += int(wrote)
			if int(wrote) < size {
				return done, ErrWouldBlock
			}
			parts = parts[n:]
		case syscall.EINTR:
		case syscall.EAGAIN:
			return done, ErrWouldBlock
		default:
			return done, errno
		}
	}
	return done, nil
}
