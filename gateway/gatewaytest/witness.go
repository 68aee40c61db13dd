package gatewaytest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// witness is what one session has seen and should have. It is the reference
// that a gateway is compared with: a slice by sequence. The oracle's mu guards
// it.
type witness struct {
	id      string
	intents gateway.Intent
	spans   map[string][]*span // by topic, oldest first

	met     bool       // a client has seen its READY
	history []sighting // by sequence, from 2 on; see place
	told    string     // why it is over, as its client was told; empty: it is not
	toldAt  uint64
	left    bool // its client has ended it
}

// sighting is what came under one sequence.
type sighting struct {
	seen  bool
	event *stamped // nil: it was not published through the oracle
	typ   string
	data  []byte // of an event that was not
}

// span is a time for which a session is subscribed to a topic, in the oracle's
// clock. Between since and leaving it is, for certain.
type span struct {
	opening uint64 // Subscribe was called
	since   uint64 // and had returned; forever: it has not
	leaving uint64 // Unsubscribe was called; forever: it was not
	gone    uint64 // and had returned
	purge   bool
	unsure  bool // calls overlapped: it may or may not be subscribed
}

// open begins a span, or returns the one that is open.
func (w *witness) open(topic string, now uint64) *span {
	spans := w.spans[topic]
	sp := &span{opening: now, since: forever, leaving: forever, gone: forever}
	if len(spans) > 0 {
		last := spans[len(spans)-1]
		if last.leaving == forever {
			return last
		}
		sp.unsure = last.gone == forever
	}
	w.spans[topic] = append(spans, sp)
	return sp
}

// close ends the span that is open, if there is one.
func (w *witness) close(topic string, now uint64, purge bool) *span {
	spans := w.spans[topic]
	if len(spans) == 0 || spans[len(spans)-1].leaving != forever {
		return nil
	}
	sp := spans[len(spans)-1]
	if sp.since == forever {
		sp.unsure = true
		return nil
	}
	sp.leaving, sp.purge = now, purge
	return sp
}

// surely reports whether an event was published while the session was subscribed.
func (sp *span) surely(e *stamped) bool {
	return !sp.unsure && e.began > sp.since && e.ended < sp.leaving
}

// perhaps reports whether the event may be seen because of this span.
func (sp *span) perhaps(e *stamped) bool {
	return e.ended > sp.opening && (e.began < sp.gone || sp.unsure)
}

// firstKept is the sequence of the first event: READY is 1.
const firstKept = 2

// at returns the place of a sequence.
func (w *witness) at(seq uint64) *sighting {
	for uint64(len(w.history)) <= seq-firstKept {
		w.history = append(w.history, sighting{})
	}
	return &w.history[seq-firstKept]
}

// line is one connection's part of a session, as its client reads it.
type line struct {
	oracle *Oracle
	w      *witness // nil until READY, or until the client resumes
	seq    uint64   // the last one on this connection
}

// resuming is called before a client asks to resume.
func (l *line) resuming(id string, seq uint64) {
	o := l.oracle
	o.mu.Lock()
	defer o.mu.Unlock()
	l.w, l.seq = o.witness(id), max(seq, 1)
	o.note(l.w, "asks to resume behind %d", seq)
}

// receive is called for every message, in order.
func (l *line) receive(m Message) {
	o := l.oracle
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case m.Op == OpInvalidSession && l.w != nil:
		if string(m.Data) == "false" {
			o.tell(l.w, "invalid session")
		}
		l.w = nil
	case m.Op != OpDispatch:
	case m.Type == "READY":
		var ready struct {
			SessionID string `json:"session_id"`
		}
		json.Unmarshal(m.Data, &ready)
		l.w, l.seq = o.witness(ready.SessionID), 1
		if l.w.met || m.Seq != 1 {
			o.problem(&o.found.Altered, "session %s: a READY with sequence %d, again: %v", ready.SessionID, m.Seq, l.w.met)
		}
		l.w.met = true
	case l.w == nil:
		o.problem(&o.found.Stray, "a dispatch without a session: %v", m)
	case m.Type == "RESUMED":
		o.found.Resumes++
		if l.w.told != "" { // it was not over, as it turns out
			l.w.told = ""
			o.found.Told--
		}
		o.note(l.w, "RESUMED, sequence %d", m.Seq)
		if m.Seq != l.seq {
			o.problem(&o.found.Lost, "session %s: RESUMED has sequence %d behind %d", l.w.id, m.Seq, l.seq)
		}
	default:
		l.dispatch(m)
	}
}

// dispatch checks an event's sequence and keeps it. The oracle's mu is held.
func (l *line) dispatch(m Message) {
	o := l.oracle
	o.found.Deliveries++
	switch {
	case m.Seq <= l.seq:
		o.problem(&o.found.Repeated, "session %s: sequence %d again, behind %d", l.w.id, m.Seq, l.seq)
		return
	case m.Seq > l.seq+1:
		o.problem(&o.found.Lost, "session %s: sequence %d behind %d", l.w.id, m.Seq, l.seq)
	}
	l.seq = m.Seq
	if m.Seq > 1<<24 {
		o.problem(&o.found.Altered, "session %s: sequence %d, when so much was not sent", l.w.id, m.Seq)
		return
	}
	now := sighting{seen: true, event: o.find(m.Data), typ: m.Type}
	if now.event == nil {
		now.data = m.Data
	} else if m.Type != now.event.event.Type || !bytes.Equal(m.Data, now.event.data) {
		o.problem(&o.found.Altered, "session %s: %v arrived as %v", l.w.id, now.event, m)
	}
	then := l.w.at(m.Seq)
	if then.seen && (then.event != now.event || then.typ != now.typ || !bytes.Equal(then.data, now.data)) {
		o.problem(&o.found.Altered, "session %s: sequence %d was %v, and is %v now", l.w.id, m.Seq, then, &now)
	}
	*then = now
}

func (s *sighting) String() string {
	if s.event != nil {
		return s.event.String()
	}
	return s.typ + " " + string(s.data)
}

// ended is called when the connection has: err is why.
func (l *line) ended(err error) {
	o := l.oracle
	o.mu.Lock()
	defer o.mu.Unlock()
	o.note(l.w, "behind %d: %v", l.seq, err)
	if errors.Is(err, ErrProtocol) {
		o.problem(&o.found.Altered, "%v", err)
	}
	var ce *gateway.CloseError
	if errors.As(err, &ce) && ce.Code == gateway.CloseReplaced {
		return // the session lives, on another connection
	}
	if l.w != nil && errors.As(err, &ce) && !ce.ByClient && !ce.Code.Resume() {
		o.tell(l.w, ce.Error())
	}
}

// leaving is called when the client ends its session.
func (l *line) leaving() {
	o := l.oracle
	o.mu.Lock()
	defer o.mu.Unlock()
	if l.w != nil {
		l.w.left = true
	}
}

// tell notes that a session's client was told that it is over. mu is held.
func (o *Oracle) tell(w *witness, why string) {
	if w.told == "" && !w.left {
		w.told, w.toldAt = why, o.now()
		o.found.Told++
		o.note(w, "is told: %s", why)
	}
}

// note writes to the trace. mu is held.
func (o *Oracle) note(w *witness, format string, args ...any) {
	if o.trace == nil || w == nil {
		return
	}
	o.trace("  session %.6s: %s", w.id, fmt.Sprintf(format, args...))
}
