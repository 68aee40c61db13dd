package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/codec"
	"github.com/gatehouse-go/gatehouse/gateway/internal/inbound"
	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// conn is one WebSocket connection. One goroutine reads it, or a poller does. Whoever has
// something for it writes, one at a time, straight and without blocking; a
// goroutine for writing exists only while the socket does not take more.
type conn struct {
	// What a delivery touches comes first, in as few cache lines as can be. mu
	// guards what is not static.

	gw       *Gateway          // static
	sock     *socket.Socket    // set by begin
	zlib     *codec.ZlibStream // of compress=zlib-stream, else nil; the writer's
	mu       sync.Mutex
	session  *Session
	control  *control // nil while nothing waits
	form     *form    // static
	stage    stage
	closing  bool          // a close frame is due or sent: no data follows
	told     bool          // the client has been sent Reconnect: its own close is an answer
	writing  bool          // somebody writes; until begin, so that who closes a connection that is being upgraded only leaves a note
	again    bool          // and has to look once more
	dead     bool          // the socket is closed or broken
	readDone bool          // the reader has ended: who writes now is the last
	slow     *stalling     // of the writer that waits for the socket; nil: none does
	idle     chan struct{} // closed when nobody writes any more; nil unless the reader waits for it
	room     chan struct{} // closed when the control lane has room; nil unless the reader waits for it
	signing  *signing      // nil while nobody signs in
	cause    *CloseError
	deadline int64 // Unix nanoseconds; of Identify, or of the peer's close frame

	// Static after construction.
	id      uint64
	lane    *lane    // whose wheel watches its deadlines
	watched *watched // what the wheel holds, so that it does not hold the connection
	info    *ConnInfo
	ext     bool

	asked    atomic.Bool  // for a heartbeat, since the last one
	lastBeat atomic.Int64 // when the last heartbeat came, Unix nanoseconds

	// Owned by the reader.
	parser inbound.Parser
	meter  meter
}

// stalling is how a socket that does not take more gets on.
type stalling struct {
	took int64 // what it had taken when the wheel looked last
	at   int64 // and when that was more than before, Unix nanoseconds
}

// stage is how far a connection has come.
type stage uint8

const (
	stageHello       stage = iota // waits for Identify or Resume
	stageIdentifying              // the application is asked who this is
	stageReady                    // has a session
)

// send queues frames that go before data.
func (c *conn) send(frames []byte) {
	c.mu.Lock()
	if c.closing || c.dead {
		c.mu.Unlock()
		return
	}
	c.controlLane().add(frames)
	c.mu.Unlock()
	c.flushNow()
}

// controlLane is the control lane for who has something to put in. mu is held.
func (c *conn) controlLane() *control {
	if c.control == nil {
		c.control = controls.Get().(*control)
	}
	return c.control
}

// ask asks the client for a heartbeat.
func (c *conn) ask() {
	c.asked.Store(true)
	c.send(appendMessage(nil, c.form, opHeartbeat, nil))
}

// sendPong answers a ping. Only the newest pong is kept.
func (c *conn) sendPong(payload []byte) {
	c.mu.Lock()
	if !c.closing {
		l := c.controlLane()
		l.pong = append(appendFrameHeader(l.pong[:0], framePong, len(payload)), payload...)
	}
	c.mu.Unlock()
	c.flushNow()
}

// close says goodbye: no data follows the close frame. The first cause stays.
func (c *conn) close(code Code, reason string) {
	c.latch(&CloseError{Code: code, Reason: reason})
	c.flushNow()
}

// closeTimeout is how long the peer has for its own close frame.
const closeTimeout = 5 * time.Second

// latch makes cause the reason for which the connection ends, unless there is
// one, and has a close frame follow what is in the control lane.
func (c *conn) latch(cause *CloseError) {
	c.latchFrame(cause, appendCloseFrame(nil, cause.Code.wire(c.ext), cause.Reason))
}

// latchFrame is latch with a close frame of the caller's. A nil cause is left
// for the reader to find.
func (c *conn) latchFrame(cause *CloseError, frame []byte) {
	deadline := c.gw.now().Add(closeTimeout)
	c.mu.Lock()
	first := !c.closing && !c.dead
	if first {
		c.closing, c.controlLane().goodbye = true, frame
		c.setCause(cause)
		c.deadline = deadline.UnixNano()
	}
	c.mu.Unlock()
	if first {
		c.lane.watch(c.watched, deadline)
	}
}

// setCause keeps the first reason only. mu is held.
func (c *conn) setCause(cause *CloseError) {
	if c.cause == nil {
		c.cause = cause
	}
}

// flushNow is flush for whoever has no scratch of its own.
func (c *conn) flushNow() {
	sc := scratches.Get().(*scratch)
	c.flush(sc)
	scratches.Put(sc)
}

// flush writes what is pending as far as the socket takes it at once, or has
// whoever is writing already look again.
func (c *conn) flush(sc *scratch) {
	c.mu.Lock()
	if c.writing || c.dead {
		c.again = true
		s, waits := c.session, c.slow != nil
		c.mu.Unlock()
		if waits && s != nil {
			s.countUnsent()
		}
		return
	}
	c.writing = true
	c.collect(sc)
	c.mu.Unlock()
	c.write(sc)
}

// write is flush for whoever has the right to write, and has collected. It hands
// that on to a goroutine when the socket does not take all of it.
func (c *conn) write(sc *scratch) {
	rest := c.pump(sc)
	if len(rest) == 0 {
		return
	}
	own := scratches.Get().(*scratch)
	own.reset()
	own.buf, own.more = append(own.buf, rest...), true
	c.gw.writers.start(func() {
		c.writeSlowly(own)
		scratches.Put(own)
	})
}

// writeSlowly waits until the socket takes what is in sc, and goes on until
// nothing is pending. The lane's wheel watches that it gets on.
func (c *conn) writeSlowly(sc *scratch) {
	now := c.gw.now()
	c.mu.Lock()
	c.slow = &stalling{took: c.sock.Progress(), at: now.UnixNano()}
	c.mu.Unlock()
	c.lane.watch(c.watched, now.Add(socket.StallTimeout))
	c.gw.slow.add(c)
	defer c.gw.slow.remove(c)
	for rest := sc.buf; len(rest) > 0; rest = c.pump(sc) {
		if err := c.sock.Write(rest); err != nil {
			c.breakOff()
			return
		}
		sc.more = true // what was put back
		if !c.lookAgain(sc) {
			return
		}
	}
}

// pump writes what is pending as far as the socket takes it at once. It returns
// what must follow before anything else is written, and the caller is still the
// writer; or nothing, and it is not.
func (c *conn) pump(sc *scratch) []byte {
	for c.fill(sc) {
		n, err := c.try(sc)
		switch {
		case err == nil:
			if !c.lookAgain(sc) {
				return nil
			}
		case err == socket.ErrWouldBlock:
			return c.cut(sc, n)
		default:
			c.breakOff()
			return nil
		}
	}
	return nil
}

// try writes what is in sc as far as the socket takes it at once.
func (c *conn) try(sc *scratch) (int, error) {
	if len(sc.large) == 0 {
		return c.sock.TryWrite(sc.buf)
	}
	return c.sock.TryGather(sc.parts())
}

// cut is called when the socket has taken the first n bytes only. Frames that
// have not begun are given back to the session, so that a control frame waits
// for the rest of one and not for all that was queued.
func (c *conn) cut(sc *scratch, n int) []byte {
	if !c.sock.Straight() || c.zlib != nil {
		return sc.cut(n, sc.size()) // a batch is taken whole, later
	}
	end, begun := sc.control, 0
	for end <= n {
		end = sc.frames[begun].end
		begun++
	}
	if back := sc.frames[begun:]; len(back) > 0 {
		sc.session.putBack(c, back)
	}
	return sc.cut(n, end)
}

// breakOff ends a connection that cannot be written to. The caller was the writer.
func (c *conn) breakOff() {
	c.mu.Lock()
	c.dead = true
	c.release()
	c.setCause(&CloseError{Code: closeAbnormal, Reason: "write failed", ByClient: true})
	c.wakeReader()
	c.mu.Unlock()
	c.sock.Close()
}

// collect begins sc anew, with the control lane, and notes whose data follows. mu
// is held.
func (c *conn) collect(sc *scratch) {
	sc.reset()
	c.again = false
	sc.buf = c.takeControl(sc.buf)
	sc.control = len(sc.buf)
	s := c.session
	if c.closing {
		s = nil
	}
	sc.session = s
}

// fill adds data of the session to what was collected. When there is nothing to
// write, the caller is no longer the writer.
func (c *conn) fill(sc *scratch) bool {
	for {
		if s := sc.session; s != nil {
			sc.gathers = c.zlib == nil && c.sock.Gathers()
			s.refill(c, sc)
		}
		if len(sc.buf) > 0 {
			if c.zlib != nil {
				sc.compress(c.zlib)
			}
			return true
		}
		if !c.lookAgain(sc) {
			return false
		}
	}
}

// lookAgain collects what has come since, or what did not fit. When there is
// neither it gives the right to write back.
func (c *conn) lookAgain(sc *scratch) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.dead && (c.again || sc.more) {
		c.collect(sc)
		return true
	}
	c.dead = c.dead || c.readDone
	c.release()
	return false
}

// release gives the right to write back. mu is held.
func (c *conn) release() {
	c.writing, c.slow = false, nil
	if c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
}

// drained returns when nobody writes to a connection that has been read to its
// end, and nobody will: within closeTimeout of its goodbye.
func (c *conn) drained() {
	c.mu.Lock()
	c.readDone = true
	if !c.writing {
		c.dead = true
		c.mu.Unlock()
		return
	}
	c.idle = make(chan struct{})
	idle := c.idle
	c.mu.Unlock()
	<-idle
}

// takeControl empties the control lane into buf. mu is held.
func (c *conn) takeControl(buf []byte) []byte {
	if l := c.control; l != nil {
		c.control = nil
		buf = l.appendTo(buf)
	}
	c.wakeReader()
	return buf
}

func (c *conn) wakeReader() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// controlFull reports whether the reader has to wait for room in the control lane.
func (c *conn) controlFull() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waits()
}

// waits is controlFull. mu is held.
func (c *conn) waits() bool { return !c.dead && !c.closing && c.control.full() }

// awaitRoom keeps the reader from answering faster than the client reads.
func (c *conn) awaitRoom() {
	for {
		c.mu.Lock()
		if !c.waits() {
			c.mu.Unlock()
			return
		}
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		<-room
	}
}

// isGone reports whether nobody is at the other end any more, or here.
func (c *conn) isGone() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dead || c.readDone || c.gw.ctx.Err() != nil
}

// isWriting reports whether somebody writes.
func (c *conn) isWriting() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.writing
}

// isClosing reports whether the connection has said goodbye.
func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing || c.dead
}

// abort closes the socket; the reader finds out. One that is not there yet is
// closed by begin.
func (c *conn) abort() {
	c.mu.Lock()
	c.dead = true
	c.wakeReader()
	sock := c.sock
	c.mu.Unlock()
	if sock != nil {
		sock.Close()
	}
}
