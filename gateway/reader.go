package gateway

import (
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// serve reads the connection until it ends, then takes it down: on a goroutine
// of its own, unless a poller does it (poller.go).
func (c *conn) serve(r *socket.Reader) {
	c.finish(c.readAll(r), r)
}

// readAll handles what arrives until the connection fails or the client's close
// frame comes. After a goodbye of ours it goes on reading, for that frame.
func (c *conn) readAll(r *socket.Reader) *CloseError {
	for {
		// Here it waits for most of its life: no buffer is held, and the stack is small.
		b, err := r.Next()
		if err != nil {
			return lost
		}
		if end := c.feedAll(b); end != nil {
			return end
		}
	}
}

func (c *conn) feedAll(b []byte) *CloseError {
	for {
		n, end := c.feed(b)
		if end != nil || n == len(b) {
			return end
		}
		b = b[n:]
		c.awaitRoom()
	}
}

// discarder throws away what a connection still reads, for so long and so much
// at most.
type discarder interface {
	Discard(within time.Duration, bytes int64)
}

// finish is called by the reader, once, when nothing more will be read.
func (c *conn) finish(cause *CloseError, rest discarder) {
	switch {
	case cause == breach:
		c.linger(rest)
	case cause == lost:
		c.abort() // nobody is there to read what is still being written
	}
	c.drained()
	c.sock.Close()
	c.parser.Drop()
	c.gw.giveZlib(c.zlib)

	c.mu.Lock()
	if c.cause == nil || c.cause.Code == closeAbnormal {
		c.cause = cause // what the client said is more than that it cannot be written to
	}
	cause = c.cause
	c.mu.Unlock()
	c.watched.conn.Store(nil)
	c.awaitSigning()
	c.gw.disconnected(c, c.ready(), cause)
}

// What a peer that is being refused may still send before the socket is closed.
const (
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// linger lets a close frame arrive: closing a socket with unread bytes makes
// the kernel reset the connection, and the peer never reads why.
func (c *conn) linger(rest discarder) {
	c.mu.Lock()
	busy := c.writing || c.dead
	c.mu.Unlock()
	if busy {
		return
	}
	c.sock.CloseWrite()
	rest.Discard(lingerTime, lingerBytes)
}
