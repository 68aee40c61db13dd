package gateway

import (
	"sync/atomic"
	"time"
)

// watched is a connection in a wheel, until it ends. Its place there stays
// taken until its time has come.
type watched struct{ conn atomic.Pointer[conn] }

// tick looks at the deadlines of connections until the gateway ends: one
// goroutine and one ticker for all of them.
func (g *Gateway) tick() {
	ticker := time.NewTicker(wheelTick)
	defer ticker.Stop()
	var due []*watched
	for {
		select {
		case <-g.ctx.Done():
			return
		case now := <-ticker.C:
			for _, l := range g.lanes {
				l.mu.Lock()
				due = l.wheel.Advance(now, due[:0])
				l.mu.Unlock()
				for i, w := range due {
					if c := w.conn.Load(); c != nil {
						if at := c.check(now); !at.IsZero() {
							l.watch(w, at)
						}
					}
					due[i] = nil
				}
			}
		}
	}
}

// check acts on what is overdue and returns when to look again, or the zero
// time when nothing is left to watch.
func (c *conn) check(now time.Time) time.Time {
	c.mu.Lock()
	dead, closing, stage, deadline := c.dead, c.closing, c.stage, c.deadline
	c.mu.Unlock()
	switch {
	case dead:
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
	return time.Unix(0, max(at, now.UnixNano()))
}
