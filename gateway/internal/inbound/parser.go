package inbound

// Parser turns bytes into events. The zero value is at the beginning of a
// connection. It is not safe for concurrent use.
type Parser struct {
	part *partial // what has begun; nil between messages
	over bool     // nothing that comes is looked at
}

// Next returns the first event in b and how many bytes it took. It is to be
// called with what is left until it returns None, which takes everything. It
// unmasks in place, and Data of an event that was all there is a part of b.
func (p *Parser) Next(b []byte, l *Limits) (Event, int) {
	if p.over {
		return Event{}, len(b)
	}
	p.settle()
	if p.part == nil {
		if len(b) == 0 {
			return Event{}, 0
		}
		if ev, n := direct(b, l.Message); n > 0 {
			return ev, n
		}
		p.part = partials.Get().(*partial)
	}
	ev, n := p.part.next(b, l)
	p.over = ev.Kind == Close || ev.Kind == Broken
	return ev, n
}

// Between reports whether nothing has begun, so that nothing is kept.
func (p *Parser) Between() bool {
	p.settle()
	return p.part == nil
}

// Drop gives back what the parser keeps, for when the connection ends. Data of
// the last event is no more.
func (p *Parser) Drop() {
	p.over = true
	if p.part != nil {
		p.part.free()
		p.part = nil
	}
}

// settle frees what nobody needs any more, the last event's Data above all.
func (p *Parser) settle() {
	if p.part != nil && !p.over && p.part.settle() {
		p.part.free()
		p.part = nil
	}
}

// direct is the usual case: a message in one frame, or a ping or pong, that is
// all there and within its limit. Anything else takes nothing.
func direct(b []byte, limit int) (Event, int) {
	if len(b) < 2 || len(b) < headerSize(b) {
		return Event{}, 0
	}
	h := parseHeader(b)
	if !h.fin() || h.op() == opContinuation || h.op() == opClose || h.fault(0) != "" {
		return Event{}, 0
	}
	b = b[headerSize(b):]
	if h.length > uint64(len(b)) || !h.control() && h.length > uint64(limit) {
		return Event{}, 0
	}
	b = b[:h.length:h.length]
	unmask(b, h.mask, 0)
	return Event{Kind: kindOf(h.op()), Data: b}, h.size + len(b)
}

func kindOf(op byte) Kind {
	switch op {
	case opText:
		return Text
	case opBinary:
		return Binary
	case opPing:
		return Ping
	default:
		return Pong
	}
}
