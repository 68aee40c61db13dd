package gateway

import "encoding/json"

// beat is the d of a heartbeat: the last sequence that the client has seen.
type beat struct {
	seq  uint64
	none bool // null: it has seen nothing
}

var errBeat = &CloseError{Code: CloseUnknownOpcode, Reason: "heartbeat: d is not a sequence"}

// heartbeat acknowledges what the client has seen and is answered at once, in
// every state.
func (c *conn) heartbeat(env envelope) {
	c.lastBeat.Store(c.gw.now().UnixNano())
	b, err := env.beat()
	if err == nil && !b.none {
		if s := c.ready(); s != nil && s.ack(c, b.seq) != nil {
			err = &CloseError{Code: CloseUnknown, Reason: "heartbeat: sequence was never sent"}
		}
	}
	if err != nil {
		c.close(err.Code, err.Reason)
		return
	}
	c.send(c.form.heartbeatACK)
}

// beat reads the d of a heartbeat.
func (env *envelope) beat() (beat, *CloseError) {
	if env.plain {
		return env.read, nil
	}
	var seen *number
	if err := json.Unmarshal(orNull(env.data), &seen); err != nil {
		return beat{}, errBeat
	}
	if seen == nil {
		return beat{none: true}, nil
	}
	seq, ok := seen.integer()
	if !ok {
		return beat{}, errBeat
	}
	return beat{seq: seq}, nil
}

// plainBeat reads the commonest message of all as nearly all clients have it, an
// object of op 1 and d, a short number or null, in either order. For what it
// takes it gives what decoding gives, without an object; and it takes nothing else.
func plainBeat(b []byte) (out beat, ok bool) {
	const op, d = 1, 2
	p := plainReader{b: b}
	p.take('{')
	for seen := 0; !p.bad; {
		switch {
		case p.word(`"op"`):
			p.take(':')
			n, null := p.value()
			p.bad = p.bad || n != uint64(opHeartbeat) || null || seen&op != 0
			seen |= op
		case p.word(`"d"`):
			p.take(':')
			out.seq, out.none = p.value()
			p.bad = p.bad || seen&d != 0
			seen |= d
		default:
			return beat{}, false
		}
		if seen == op|d {
			p.take('}')
			p.space()
			return out, !p.bad && p.i == len(b)
		}
		p.take(',')
	}
	return beat{}, false
}

// plainReader reads a little of JSON. What it does not understand is bad.
type plainReader struct {
	b   []byte
	i   int
	bad bool
}

func (p *plainReader) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\t' || p.b[p.i] == '\r' || p.b[p.i] == '\n') {
		p.i++
	}
}

func (p *plainReader) word(w string) bool {
	p.space()
	if len(p.b)-p.i < len(w) || string(p.b[p.i:p.i+len(w)]) != w {
		return false
	}
	p.i += len(w)
	return true
}

func (p *plainReader) take(c byte) {
	if p.space(); p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return
	}
	p.bad = true
}

// plainDigits keeps numbers exact whoever reads them.
const plainDigits = 15

// value reads a whole number, or null.
func (p *plainReader) value() (n uint64, null bool) {
	if p.word("null") {
		return 0, true
	}
	from := p.i
	for ; p.i < len(p.b) && p.b[p.i]-'0' <= 9; p.i++ {
		n = 10*n + uint64(p.b[p.i]-'0')
	}
	digits := p.i - from
	p.bad = p.bad || digits == 0 || digits > plainDigits || digits > 1 && p.b[from] == '0'
	return n, false
}
