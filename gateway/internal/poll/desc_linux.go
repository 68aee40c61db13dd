package poll

import (
	"net"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/gatehouse-go/gatehouse/gateway/internal/straight"
)

// Desc is a TCP socket's descriptor. Its methods may be called by several
// goroutines at once, and none of them but WaitWrite waits.
type Desc struct {
	// Static after Adopt.
	loop    *loop
	handler Handler
	slot    uint32

	queued bool // for another turn; owned by the loop

	fd      int32       // −1 once closed; guarded by mu
	waiting atomic.Bool // somebody waits to write

	// mu is held for system calls that do not block.
	mu       sync.Mutex
	writable chan struct{} // closed when the socket may take more; nil: nobody waits
}

// tell passes events on.
func (d *Desc) tell(events uint32, buf []byte) (more bool) {
	if events&(syscall.EPOLLOUT|syscall.EPOLLHUP|syscall.EPOLLERR) != 0 && d.waiting.Load() {
		d.mu.Lock()
		d.wake()
		d.mu.Unlock()
	}
	if events&(syscall.EPOLLIN|behind) == 0 {
		return false
	}
	return d.handler.Ready(buf, events&behind != 0)
}

// Read reads what is there, at most len(p) bytes: none is the peer's end.
func (d *Desc) Read(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	return straight.Read(uintptr(d.fd), p)
}

// Write writes until the socket takes no more: ErrWouldBlock comes with a short
// count.
func (d *Desc) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.write(p)
}

// write is Write. mu is held.
func (d *Desc) write(p []byte) (int, error) {
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	return straight.Write(uintptr(d.fd), p)
}

// Gather is Write of several pieces.
func (d *Desc) Gather(parts [][]byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return 0, net.ErrClosed
	}
	return straight.Gather(uintptr(d.fd), parts)
}

// WriteOrWait writes like Write. If the socket takes no more, writable is closed
// when it may be tried again, and when the Desc is closed. One caller at a time.
func (d *Desc) WriteOrWait(p []byte) (n int, writable <-chan struct{}, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	// Before it is tried, so that an event between that and the wait finds it.
	if d.writable == nil {
		d.writable = make(chan struct{})
		d.waiting.Store(true)
	}
	if n, err = d.write(p); err == ErrWouldBlock {
		return n, d.writable, nil
	}
	d.wake()
	return n, nil, err
}

// wake wakes whoever waits to write. mu is held.
func (d *Desc) wake() {
	if d.writable != nil {
		close(d.writable)
		d.writable = nil
		d.waiting.Store(false)
	}
}

// CloseWrite tells the peer that nothing more comes.
func (d *Desc) CloseWrite() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd < 0 {
		return net.ErrClosed
	}
	return syscall.Shutdown(int(d.fd), syscall.SHUT_WR)
}

// Control calls fn with the descriptor, under its lock.
func (d *Desc) Control(fn func(fd uintptr)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.fd >= 0 {
		fn(uintptr(d.fd))
	}
}

// Close closes the descriptor. Whoever waits to write is woken.
func (d *Desc) Close() error {
	d.mu.Lock()
	if d.fd < 0 {
		d.mu.Unlock()
		return net.ErrClosed
	}
	d.loop.remove(d)
	syscall.Close(int(d.fd))
	d.fd = -1
	d.wake()
	d.mu.Unlock()
	d.handler.Closed()
	return nil
}
