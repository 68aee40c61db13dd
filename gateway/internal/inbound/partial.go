package inbound

import (
	"encoding/binary"
	"sync"
)

// partial is what a parser keeps of a frame, or of a message, that has begun.
type partial struct {
	head  [maxHeader]byte // of the frame
	have  int             // bytes of it that are there
	begun bool            // all are: frame is set, its payload follows
	frame header
	left  uint64 // bytes of the payload that are to come

	control buffer // a control frame's payload so far
	message buffer // the message's payload so far
	op      byte   // of the message; 0: none is in progress
	dropped bool   // it is over its limit
	told    bool   // it was called endless
	wire    int    // bytes since the last message, ping or pong
	lent    bool   // the last event's Data is control or message
}

var partials = sync.Pool{New: func() any { return new(partial) }}

func (q *partial) free() {
	q.control.free()
	q.message.free()
	*q = partial{}
	partials.Put(q)
}

// settle frees what was lent, and reports whether nothing is left.
func (q *partial) settle() bool {
	if q.lent {
		q.lent = false
		q.control.free() // a message's goes with the rest
	}
	return q.op == 0 && q.have == 0
}

func (q *partial) next(b []byte, l *Limits) (ev Event, done int) {
	for done < len(b) {
		// Nothing is looked at beyond the byte that is one too many, so that how
		// much has arrived makes no difference.
		rest, counted := b[done:], !q.dropped && !q.told
		if counted {
			rest = rest[:min(len(rest), l.Wire+1-q.wire)]
		}
		ev, n := q.step(rest, l.Message)
		done += n
		q.wire += n
		switch ev.Kind {
		case None:
			if q.op == 0 && q.have == 0 { // the end of what was dropped
				q.wire, q.told = 0, false
			}
		case Text, Binary, Ping, Pong:
			q.wire, q.told = 0, false
			return ev, done
		default:
			return ev, done
		}
		if counted && q.wire > l.Wire {
			q.told = true
			return Event{Kind: Endless}, done
		}
	}
	return Event{}, done
}

// step takes a piece of the frame: of its header, or of its payload.
func (q *partial) step(b []byte, limit int) (ev Event, n int) {
	switch {
	case !q.begun:
		n = q.takeHeader(b)
		if !q.begun {
			return ev, n
		}
		if reason := q.frame.fault(q.op); reason != "" {
			return Event{Kind: Broken, Reason: reason}, n
		}
		if !q.frame.control() && q.op == 0 {
			q.op = q.frame.op()
		}
	case q.frame.control():
		n = q.take(&q.control, b, maxControl)
	case q.dropped:
		n = int(min(q.left, uint64(len(b))))
		q.left -= uint64(n)
	default:
		n = q.take(&q.message, b, limit+1)
		if len(q.message.b) > limit {
			q.message.free()
			q.dropped = true
			ev.Kind = TooBig
		}
	}
	if q.left == 0 {
		if end := q.end(); ev.Kind == None {
			ev = end
		}
	}
	return ev, n
}

// needs is how much of the header must be there before more can be said of it.
func (q *partial) needs() int {
	const long = 10 // without the mask
	switch {
	case q.have < 2:
		return 2
	case q.head[1]&0x7f == 127 && (q.have < long || q.head[2]&0x80 != 0):
		return long // a negative length is refused before the mask is read
	}
	return headerSize(q.head[:])
}

// takeHeader copies what b has of the header.
func (q *partial) takeHeader(b []byte) (n int) {
	for {
		need := q.needs()
		if q.have == need {
			q.begun, q.frame = true, parseHeader(q.head[:])
			q.left = q.frame.length
			return n
		}
		k := copy(q.head[q.have:need], b[n:])
		if k == 0 {
			return n
		}
		n += k
		q.have += k
	}
}

// take appends what b has of the payload to a buffer of at most so many bytes.
func (q *partial) take(to *buffer, b []byte, most int) int {
	n := min(len(b), most-len(to.b))
	if uint64(n) > q.left {
		n = int(q.left)
	}
	from := len(to.b)
	to.append(b[:n])
	unmask(to.b[from:], q.frame.mask, int((q.frame.length-q.left)&3))
	q.left -= uint64(n)
	return n
}

// end is the end of a frame.
func (q *partial) end() Event {
	q.have, q.begun = 0, false
	switch {
	case q.frame.op() == opClose:
		q.lent = true
		return closed(q.control.b)
	case q.frame.control():
		q.lent = true
		return Event{Kind: kindOf(q.frame.op()), Data: q.control.b}
	case !q.frame.fin():
		return Event{}
	}
	op := q.op
	q.op = 0
	if q.dropped {
		q.dropped = false
		return Event{}
	}
	q.lent = true
	return Event{Kind: kindOf(op), Data: q.message.b}
}

// closed checks the payload of a close frame.
func closed(data []byte) Event {
	switch {
	case len(data) == 0:
	case len(data) == 1:
		return Event{Kind: Broken, Reason: "half a close code"}
	case !sendable(binary.BigEndian.Uint16(data)):
		return Event{Kind: Broken, Reason: "a close code that may not be sent"}
	}
	return Event{Kind: Close, Data: data}
}

// sendable reports whether a close frame may carry the code (RFC 6455, 7.4).
func sendable(code uint16) bool {
	switch {
	case code == 1004, code == 1005, code == 1006:
		return false
	case code >= 3000 && code <= 4999:
		return true
	}
	return code >= 1000 && code <= 1014
}
