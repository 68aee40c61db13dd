package poll

import (
	"os"
	"sync"
	"syscall"
)

// Of a loop's turn.
const (
	eventsAtOnce = 128
	readBuffer   = 16 << 10 // bytes; one for all connections of a loop
)

// interest is all that may happen, told once each time that it does: a change
// that comes behind a read or write that has seen the old state is another edge.
// Nothing is ever changed in the registration.
const interest = syscall.EPOLLIN | syscall.EPOLLOUT | syscall.EPOLLPRI | syscall.EPOLLRDHUP | epollET

// syscall.EPOLLET is negative there.
const epollET = 1 << 31

// What a short read does not exhaust: an end behind the bytes, or a mark of TCP's
// urgent data between them, at which a read stops.
const behind = syscall.EPOLLPRI | syscall.EPOLLRDHUP | syscall.EPOLLHUP | syscall.EPOLLERR

// loop is a goroutine that waits for events. It waits in the runtime's own
// poller, in which its epoll is a descriptor like any other, and not in a system
// call with a thread of its own.
type loop struct {
	epoll *os.File
	raw   syscall.RawConn
	fd    int

	// Owned by run.
	events []syscall.EpollEvent
	n      int // of events
	told   []told
	again  []*Desc // wait for another turn
	spare  []*Desc // again of the turn before, to be used anew
	buf    []byte
	wait   func(fd uintptr) bool

	// mu guards the table, and is held for epoll_ctl.
	mu     sync.Mutex
	slots  []slot
	free   []uint32
	closed bool
}

// slot is a place in the table. Its generation is one more for each Desc that
// had it.
type slot struct {
	desc       *Desc
	generation uint32
}

// told is what a Desc is to hear.
type told struct {
	desc   *Desc
	events uint32
}

func newLoop() (*loop, error) {
	fd, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("epoll_create1", err)
	}
	if err := syscall.SetNonblock(fd, true); err != nil { // what the runtime's poller asks for
		syscall.Close(fd)
		return nil, os.NewSyscallError("fcntl", err)
	}
	l := &loop{fd: fd, epoll: os.NewFile(uintptr(fd), "epoll"), events: make([]syscall.EpollEvent, eventsAtOnce), buf: make([]byte, readBuffer)}
	l.raw, err = l.epoll.SyscallConn()
	l.wait = l.poll
	return l, err
}

// run tells Descs of their events until the epoll is closed.
func (l *loop) run() {
	for l.raw.Read(l.wait) == nil {
		l.turn()
	}
}

// turn has those read that had more than their share of the last turn, then
// those that the events are for.
func (l *loop) turn() {
	l.look()
	last := l.again
	l.again = l.spare[:0]
	for _, d := range last {
		d.queued = false
		l.queue(d, d.handler.Ready(l.buf, false))
	}
	for _, t := range l.told {
		l.queue(t.desc, t.desc.tell(t.events, l.buf))
	}
	clear(last)
	clear(l.told)
	l.spare = last
}

// queue notes who wants another turn.
func (l *loop) queue(d *Desc, more bool) {
	if more && !d.queued {
		d.queued = true
		l.again = append(l.again, d)
	}
}

// poll takes the events that there are. It reports false to be called again when
// there are any, unless somebody has a turn to come anyway.
func (l *loop) poll(fd uintptr) bool {
	n, err := syscall.EpollWait(int(fd), l.events, 0)
	l.n = max(0, n)
	return n > 0 || len(l.again) > 0 || err == syscall.EINTR
}

// look finds whom events are for. Events of a Desc that has been closed, or of
// one before it in its place, are for nobody.
func (l *loop) look() {
	l.told = l.told[:0]
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, ev := range l.events[:l.n] {
		if s := l.slots[ev.Fd]; s.generation == uint32(ev.Pad) && s.desc != nil {
			l.told = append(l.told, told{s.desc, ev.Events})
		}
	}
}

// add gives a Desc a place and has it watched.
func (l *loop) add(d *Desc) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return os.ErrClosed
	}
	if n := len(l.free); n > 0 {
		d.slot, l.free = l.free[n-1], l.free[:n-1]
	} else {
		d.slot = uint32(len(l.slots))
		l.slots = append(l.slots, slot{})
	}
	s := &l.slots[d.slot]
	s.desc = d
	ev := syscall.EpollEvent{Events: interest, Fd: int32(d.slot), Pad: int32(s.generation)}
	if err := syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_ADD, int(d.fd), &ev); err != nil {
		l.vacate(d.slot)
		return os.NewSyscallError("epoll_ctl", err)
	}
	return nil
}

// remove ends the watching, before the descriptor is closed. Closing it would
// not, if the socket were open elsewhere: in the net.TCPConn that it was taken
// from, or in a process that is being started.
func (l *loop) remove(d *Desc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		syscall.EpollCtl(l.fd, syscall.EPOLL_CTL_DEL, int(d.fd), nil)
	}
	l.vacate(d.slot)
}

// vacate makes a place ready for the next. mu is held.
func (l *loop) vacate(at uint32) {
	s := &l.slots[at]
	s.desc = nil
	s.generation++
	l.free = append(l.free, at)
}

// close ends run.
func (l *loop) close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.epoll.Close()
}
