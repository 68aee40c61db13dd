package poll

import (
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
)

// Poller is a set of loops, each with its own epoll.
type Poller struct {
	loops   []*loop
	next    atomic.Uint32
	running sync.WaitGroup
}

// New returns a poller of so many loops. Close ends it.
func New(loops int) (*Poller, error) {
	p := new(Poller)
	for range loops {
		l, err := newLoop()
		if err != nil {
			p.Close()
			return nil, err
		}
		p.loops = append(p.loops, l)
		p.running.Go(l.run)
	}
	return p, nil
}

// Close ends the loops and waits for them. Nobody is told of anything any more:
// descriptors are their owners' to close, before.
func (p *Poller) Close() {
	for _, l := range p.loops {
		l.close()
	}
	p.running.Wait()
}

// Adopt takes a connection over: its descriptor is duplicated, so that the
// net.TCPConn can be closed, by the caller, and collected. From now on h is told
// of what happens to it, maybe before Adopt returns.
func (p *Poller) Adopt(nc *net.TCPConn, h Handler) (*Desc, error) {
	raw, err := nc.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if e := raw.Control(func(of uintptr) { fd, err = duplicate(of) }); e != nil {
		err = e
	}
	if err != nil {
		return nil, err
	}
	d := &Desc{loop: p.loops[int(p.next.Add(1))%len(p.loops)], handler: h, fd: int32(fd)}
	if err := d.loop.add(d); err != nil {
		syscall.Close(fd)
		return nil, err
	}
	return d, nil
}

func duplicate(fd uintptr) (int, error) {
	n, _, errno := syscall.Syscall(syscall.SYS_FCNTL, fd, syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(n), nil
}
