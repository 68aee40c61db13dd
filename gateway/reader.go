package gateway

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/coder/websocket"
)

// serve reads the connection until it ends, then takes it down.
func (c *conn) serve() {
	err := c.readAll()
	c.finish(err)
}

var messages = sync.Pool{New: func() any { return new([]byte) }}

// readAll handles messages until the connection fails or the peer's close
// frame comes. After a goodbye of ours it goes on reading, for that frame.
func (c *conn) readAll() error {
	for {
		c.stream.unfinished = 0
		c.stream.await()
		if err := c.readNext(); err != nil {
			return err
		}
	}
}

// readNext handles one message.
func (c *conn) readNext() error {
	// A context that can be cancelled would cost allocations per frame; deadlines
	// are on the socket, and the lane's wheel watches them.
	kind, r, err := c.ws.Reader(context.Background())
	if err != nil {
		return err
	}
	buf := messages.Get().(*[]byte)
	defer messages.Put(buf)
	*buf, err = readMessage((*buf)[:0], r, c.gw.limits.MessageSize)
	switch {
	case errors.Is(err, errMessageTooBig):
		c.close(CloseDecode, err.Error())
		_, err = io.Copy(io.Discard, r)
	case err == nil && !c.isClosing():
		c.message(kind == websocket.MessageBinary, *buf)
		c.awaitRoom()
	}
	return err
}

var errMessageTooBig = errors.New("message too big")

// readMessage appends a whole message of at most limit bytes to buf. It never
// asks for more than decides that: package websocket waits until it can fill
// what it is given.
func readMessage(buf []byte, r io.Reader, limit int) ([]byte, error) {
	for {
		if len(buf) == cap(buf) {
			buf = append(buf, make([]byte, max(512, cap(buf)))...)[:len(buf)]
		}
		n, err := r.Read(buf[len(buf):min(cap(buf), limit+1)])
		buf = buf[:len(buf)+n]
		if len(buf) > limit {
			return buf[:0], errMessageTooBig
		}
		if err == io.EOF {
			return buf, nil
		}
		if err != nil {
			return buf, err
		}
	}
}

// finish is called by the reader, once, when nothing more will be read.
func (c *conn) finish(err error) {
	cause, broken := readCause(err)
	switch {
	case broken:
		c.latch(cause)
		c.flushNow()
		c.linger()
	case cause.Code == closeAbnormal:
		c.abort() // nobody is there to read what is still being written
	}
	c.drained()
	c.sock.Close()
	c.gw.giveZlib(c.zlib)

	c.mu.Lock()
	if c.cause == nil || c.cause.Code == closeAbnormal {
		c.cause = cause // what the client said is more than that it cannot be written to
	}
	cause = c.cause
	c.mu.Unlock()
	c.watched.conn.Store(nil)
	c.ws.CloseNow() // takes its finalizer off, without which it is never freed
	c.awaitSigning()
	c.gw.disconnected(c, c.ready(), cause)
}

// readCause says why reading ended, and whether that was a breach of the
// protocol. Package websocket has answered most of those with a close frame,
// an unmasked frame it has not.
func readCause(err error) (cause *CloseError, broken bool) {
	if code := websocket.CloseStatus(err); code != -1 {
		var ce websocket.CloseError
		errors.As(err, &ce)
		return &CloseError{Code: Code(code), Reason: ce.Reason, ByClient: true}, false
	}
	if isNetwork(err) {
		return &CloseError{Code: closeAbnormal, Reason: "connection lost", ByClient: true}, false
	}
	return &CloseError{Code: closeProtocol, Reason: "protocol error"}, true
}

func isNetwork(err error) bool {
	var op *net.OpError
	var errno syscall.Errno
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) ||
		errors.As(err, &op) || errors.As(err, &errno)
}

// What a peer that is being refused may still send before the socket is closed.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// linger lets a close frame arrive: closing a socket with unread bytes makes
// the kernel reset the connection, and the peer never reads why.
func (c *conn) linger() {
	c.mu.Lock()
	busy := c.writing || c.dead
	c.mu.Unlock()
	if busy {
		return
	}
	c.sock.CloseWrite()
	c.stream.Conn.SetReadDeadline(time.Now().Add(lingerTime))
	io.CopyN(io.Discard, c.stream.Conn, lingerBytes)
}
