package gateway

import (
	"errors"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway/internal/inbound"
)

var (
	errMessageTooBig = errors.New("message too big")
	errEndless       = errors.New("a message that does not end")
)

// wirePerByte is how many bytes of frames a byte of a message may cost: as many
// as when each is a frame of its own. Beyond it a message is one that never
// ends, of empty frames. slackPerMessage is what it may cost beside.
const (
	wirePerByte     = 8
	slackPerMessage = 512
)

// inbound is what clients may send, for the parser.
func (l *Limits) inbound() inbound.Limits {
	return inbound.Limits{Message: l.MessageSize, Wire: wirePerByte*l.MessageSize + slackPerMessage}
}

// feed handles what has arrived, until the control lane is full: then it returns
// early, with how much it took. end is why the connection is over, once it is.
// Whoever reads calls it, one at a time; b is its own again afterwards.
func (c *conn) feed(b []byte) (n int, end *CloseError) {
	for !c.controlFull() {
		ev, took := c.parser.Next(b[n:], &c.gw.inbound)
		n += took
		switch ev.Kind {
		case inbound.None:
			return n, nil
		case inbound.Text, inbound.Binary:
			if !c.isClosing() {
				c.message(ev.Kind == inbound.Binary, ev.Data)
			}
		case inbound.Ping:
			c.pinged()
			c.sendPong(ev.Data)
		case inbound.Pong:
			c.pinged()
		case inbound.TooBig:
			c.close(CloseDecode, errMessageTooBig.Error()) // the client may still say goodbye
		case inbound.Endless:
			if !c.isClosing() {
				c.close(CloseDecode, errEndless.Error())
				return n, breach
			}
		case inbound.Broken:
			c.close(closeProtocol, ev.Reason)
			return n, breach
		case inbound.Close:
			return n, c.closedByClient(ev.Data)
		}
	}
	return n, nil
}

// breach is the end of a connection whose client breaks the protocol: it was
// told so.
var breach = &CloseError{Code: closeProtocol, Reason: "protocol error"}

// lost is the end of a connection that broke.
var lost = &CloseError{Code: closeAbnormal, Reason: "connection lost", ByClient: true}

// closedByClient echoes a close frame, or refuses its reason for not being UTF-8,
// and returns what it says.
func (c *conn) closedByClient(data []byte) *CloseError {
	cause := &CloseError{Code: closeNoStatus, ByClient: true}
	echo := append(appendFrameHeader(nil, frameClose, len(data)), data...)
	if len(data) >= 2 {
		cause.Code, cause.Reason = Code(data[0])<<8|Code(data[1]), string(data[2:])
		if !utf8.ValidString(cause.Reason) {
			echo = appendCloseFrame(nil, closeBadText, "")
		}
	}
	c.latchFrame(nil, echo)
	c.flushNow()
	return cause
}

// pinged counts a ping or pong.
func (c *conn) pinged() {
	if c.meter.ping(c.gw.now(), &c.gw.limits) == abusive {
		c.close(CloseRateLimited, "")
	}
}
