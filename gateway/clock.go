package gateway

import (
	"sync/atomic"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/socket"
)

// now is the time as it goes on since the gateway began. All deadlines are of
// this time: a wall clock that is set moves none of them.
func (g *Gateway) now() time.Time { return g.began.Add(time.Since(g.began)) }

// watched is what a wheel holds of a connection, or of a session without one,
// until it ends. Its place there stays taken until its time has come.
type watched struct {
	conn    atomic.Pointer[conn]
	session atomic.Pointer[Session]

	at int64 // of the place that counts, Unix nanoseconds; 0: none. Guarded by the lane's mu.
}

// place is a watched's place in a wheel.
type place struct {
	w  *watched
	at int64
}

// check acts on what is overdue and returns when to look again, or the zero
// time when nothing is left to watch.
func (w *watched) check(now time.Time) time.Time {
	if c := w.conn.Load(); c != nil {
		return c.check(now)
	}
	if s := w.session.Load(); s != nil {
		return s.check(now)
	}
	return time.Time{}
}

// tick looks at deadlines until the gateway ends: one goroutine and one ticker
// for all of them.
func (g *Gateway) tick() {
	ticker := time.NewTicker(wheelTick)
	defer ticker.Stop()
	var due []place
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
			now := g.now()
			g.second(now)
			for _, l := range g.lanes {
				due = l.due(now, due[:0])
				for i, p := range due {
					if at := p.w.check(now); !at.IsZero() {
						l.watch(p.w, at)
					}
					due[i] = place{}
				}
			}
		}
	}
}

// watch has deadlines looked at, at about the given time or earlier.
func (l *lane) watch(w *watched, at time.Time) {
	t := at.UnixNano()
	l.mu.Lock()
	defer l.mu.Unlock()
	if w.at == 0 || t < w.at {
		w.at = t
		l.wheel.Add(place{w, t}, at)
	}
}

// due appends the places whose time has come.
func (l *lane) due(now time.Time, due []place) []place {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.wheel.Advance(now, due)
	due = all[:0]
	for _, p := range all {
		if p.w.at == p.at { // else there is an earlier place
			p.w.at = 0
			due = append(due, p)
		}
	}
	return due
}

func (c *conn) check(now time.Time) time.Time {
	c.mu.Lock()
	dead, closing, stage, deadline := c.dead, c.closing, c.stage, c.deadline
	stalled := c.stalled(now)
	c.mu.Unlock()
	switch {
	case dead:
		return time.Time{}
	case stalled:
		c.abort()
		return time.Time{}
	case closing:
		if now.UnixNano() >= deadline {
			c.abort()
			return time.Time{}
		}
	case stage == stageHello && deadline > 0 && now.UnixNano() >= deadline:
		c.close(CloseNotAuthenticated, "identify took too long")
	case now.UnixNano() >= c.heartbeatDue():
		c.close(CloseUnknown, "heartbeat timeout")
	}
	return c.nextCheck(now)
}

// stalled reports whether a socket that is waited for has taken nothing for too
// long. mu is held.
func (c *conn) stalled(now time.Time) bool {
	if c.slow == nil || !c.sock.Straight() {
		return false // others have deadlines of their own
	}
	if took := c.sock.Progress(); took != c.slow.took {
		*c.slow = stalling{took, now.UnixNano()}
	}
	return now.UnixNano()-c.slow.at >= int64(socket.StallTimeout)
}

// heartbeatDue is when a connection without a heartbeat is given up.
func (c *conn) heartbeatDue() int64 {
	return c.lastBeat.Load() + int64(c.gw.limits.HeartbeatInterval*3/2)
}

// nextCheck is the earliest deadline of the connection.
func (c *conn) nextCheck(now time.Time) time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := c.heartbeatDue()
	if (c.stage == stageHello || c.closing) && c.deadline > 0 {
		at = min(at, c.deadline)
	}
	if c.closing {
		at = c.deadline
	}
	if c.slow != nil {
		at = min(at, c.slow.at+int64(socket.StallTimeout))
	}
	return time.Unix(0, max(at, now.UnixNano()))
}
