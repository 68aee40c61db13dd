package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/poll"
)

// polled reads a connection for a poller. Whoever has the right to read, a bit,
// does: a loop as a rule; a goroutine while the application is told of the
// connection, or while the client's control lane is full.
type polled struct {
	c    *conn
	desc *poll.Desc

	state atomic.Uint32 // bits
	rest  chan struct{} // something to discard has come; set before ended is
}

// Bits of polled's state.
const (
	reading  = 1 << iota // somebody has the right to read, for good once ended
	again                // and has to look once more
	draining             // what is read short may have its end behind it
	ended                // nothing is read any more but to be discarded
)

// begin has the connection read, of which early was read before.
func (p *polled) begin(early []byte) {
	g := p.c.gw
	if g.opts.OnConnect == nil && len(early) == 0 && p.yield() {
		return
	}
	g.readers.start(func() {
		p.c.sayConnected()
		p.readOn(early)
	})
}

// Ready is called on a loop.
func (p *polled) Ready(buf []byte, drain bool) (more bool) {
	return p.take(drain) && p.read(buf)
}

// Closed is called by whoever closes the socket.
func (p *polled) Closed() {
	if p.take(true) {
		p.end(lost)
	}
}

// take takes the right to read, or has its holder look once more.
func (p *polled) take(drain bool) bool {
	for {
		s := p.state.Load()
		next := s | reading
		if s&reading != 0 {
			next |= again
		}
		if drain {
			next |= draining
		}
		if !p.state.CompareAndSwap(s, next) {
			continue
		}
		if s&ended != 0 {
			select {
			case p.rest <- struct{}{}:
			default: // it is told already
			}
		}
		return s&reading == 0
	}
}

// yield gives the right to read back, unless its holder has to look once more.
func (p *polled) yield() bool {
	for {
		s := p.state.Load()
		next := s &^ again
		if s&again == 0 {
			next = s &^ reading
		}
		if p.state.CompareAndSwap(s, next) {
			return s&again == 0
		}
	}
}

// readsAtOnce is how often one connection is read before others have their turn.
const readsAtOnce = 4

// read reads what there is and gives the right to read back. It reports whether
// there may be more: then it is for the caller to take it again.
func (p *polled) read(buf []byte) (more bool) {
	for range readsAtOnce {
		n, err := p.desc.Read(buf)
		switch {
		case err == poll.ErrWouldBlock:
		case err != nil || n == 0:
			p.end(lost)
			return false
		case !p.feed(buf[:n]):
			return false
		}
		short := n < len(buf) && p.state.Load()&draining == 0
		if (err != nil || short) && p.yield() {
			return false
		}
	}
	p.state.And(^uint32(reading | again))
	return true
}

// feed handles what was read. It reports false when somebody else goes on.
func (p *polled) feed(b []byte) bool {
	n, end := p.c.feed(b)
	switch {
	case end != nil:
		p.end(end)
		return false
	case n < len(b):
		rest := append([]byte(nil), b[n:]...)
		p.c.gw.readers.start(func() { p.readOn(rest) })
		return false
	}
	return true
}

// ownBuffers are for those who read without a loop's.
var ownBuffers = sync.Pool{New: func() any { return new([4 << 10]byte) }}

// readOn is read on a goroutine, which waits until there is room for answers.
func (p *polled) readOn(rest []byte) {
	p.c.awaitRoom()
	if end := p.c.feedAll(rest); end != nil {
		p.end(end)
		return
	}
	buf := ownBuffers.Get().(*[4 << 10]byte)
	defer ownBuffers.Put(buf)
	for p.read(buf[:]) && p.take(false) {
	}
}

// end takes the connection down. The caller has the right to read, and keeps it.
func (p *polled) end(cause *CloseError) {
	p.rest = make(chan struct{}, 1)
	p.state.Or(ended)
	p.c.gw.readers.start(func() { p.c.finish(cause, p) })
}

// Discard throws away what comes.
func (p *polled) Discard(within time.Duration, bytes int64) {
	buf := ownBuffers.Get().(*[4 << 10]byte)
	defer ownBuffers.Put(buf)
	timer := time.NewTimer(within)
	defer timer.Stop()
	for bytes > 0 {
		n, err := p.desc.Read(buf[:])
		switch {
		case err == poll.ErrWouldBlock:
			select {
			case <-p.rest:
			case <-timer.C:
				return
			}
		case err != nil || n == 0:
			return
		}
		bytes -= int64(n)
	}
}
