package gateway

import "time"

// meter counts what a client sends against the limits of one connection, in
// fixed windows. The zero value has counted nothing. It is not safe for
// concurrent use.
type meter struct {
	soft, hard, presence window
}

// window is a count since a moment.
type window struct {
	start int64
	n     int
}

// add counts one more at now and returns the count of the window that now is
// in, and how long that goes on.
func (w *window) add(now time.Time, length time.Duration) (int, time.Duration) {
	t := now.UnixNano()
	if t-w.start >= int64(length) {
		w.start, w.n = t, 0
	}
	w.n++
	return w.n, time.Duration(w.start + int64(length) - t)
}

// verdict is what a limit says of a message.
type verdict uint8

const (
	allowed verdict = iota
	limited         // over the soft limit: not handled, and told so
	abusive         // over the hard one: the connection is closed
)

// ping counts a control frame: only abuse has consequences.
func (m *meter) ping(now time.Time, l *Limits) verdict {
	n, _ := m.hard.add(now, l.Window)
	if over(n, 2*l.Payloads) {
		return abusive
	}
	return allowed
}

// message counts a message and returns, if it is limited, when to try again. A
// heartbeat that the client was asked for is free.
func (m *meter) message(op opcode, asked bool, now time.Time, l *Limits) (verdict, time.Duration) {
	if op == opHeartbeat && asked {
		return allowed, 0
	}
	if m.ping(now, l) == abusive {
		return abusive, 0
	}
	if op == opHeartbeat {
		return allowed, 0
	}
	if n, left := m.soft.add(now, l.Window); over(n, l.Payloads) {
		return limited, left
	}
	if op == opPresenceUpdate {
		if n, left := m.presence.add(now, l.PresenceWindow); over(n, l.PresenceUpdates) {
			return limited, left
		}
	}
	return allowed, 0
}

// over reports whether n is above a limit that is in force.
func over(n, limit int) bool { return limit >= 0 && n > limit }
