package gatewaytest

import (
	"io"
	"math"
	"sync"
	"time"
)

// half is one direction of a link. The link's mu guards it.
type half struct {
	link     *Link
	changed  sync.Cond // for its reader and its writers
	buf      []byte    // sent and not read
	under    []arrival // parts of buf that are still under way, oldest first
	sent     uint64    // bytes, ever
	limit    int       // of buf
	stalled  bool      // the reader takes nothing
	fin      bool      // nothing more is sent
	finAt    time.Time // when the reader can know
	deaf     bool      // the reader has closed
	lastAt   time.Time // when the newest bytes arrive
	killAt   uint64    // the link is reset when so much was sent
	shortAt  uint64    // a TryWrite stops there, once
	hold     time.Duration
	lag      time.Duration // how long a TryWrite takes
	heldTill time.Time     // nothing is taken before
}

// arrival says when bytes from an offset on, up to the next one's, can be read.
type arrival struct {
	begin uint64
	at    time.Time
}

const never = math.MaxUint64

func (h *half) init(l *Link) {
	h.link, h.changed.L = l, &l.mu
	h.limit, h.killAt, h.shortAt = l.network.options.Buffer, never, never
}

func (h *half) wake() { h.changed.Broadcast() }

// wakeAt has waiting ends look again at a time.
func (h *half) wakeAt(at time.Time) {
	time.AfterFunc(time.Until(at), func() {
		h.link.mu.Lock()
		defer h.link.mu.Unlock()
		h.wake()
	})
}

// take accepts what fits of p. try is whether a short write may happen.
func (h *half) take(p []byte, try bool) int {
	now := time.Now()
	if h.deaf && !h.link.partitioned && len(p) > 0 {
		// As with TCP, the first write to who has closed succeeds, and is
		// answered with a reset.
		h.link.kill(nil)
		return len(p)
	}
	n := min(len(p), h.limit-len(h.buf))
	if now.Before(h.heldTill) || n <= 0 {
		return 0
	}
	if try && h.sent+uint64(n) > h.shortAt {
		n = int(max(h.shortAt, h.sent) - h.sent) // a Write may have gone past it
		h.shortAt = never
		if h.hold > 0 {
			h.heldTill = now.Add(h.hold)
			h.wakeAt(h.heldTill)
		}
	}
	cut := h.sent+uint64(n) >= h.killAt
	if cut {
		n = int(h.killAt - h.sent)
	}
	h.append(p[:n], now)
	if cut {
		h.link.kill(h)
	}
	return n
}

func (h *half) append(p []byte, now time.Time) {
	if len(p) == 0 {
		return
	}
	if at := h.arrives(now); at.After(now) {
		h.under = append(h.under, arrival{h.sent, at})
		h.wakeAt(at)
	}
	h.buf = append(h.buf, p...)
	h.sent += uint64(len(p))
	h.wake()
}

// arrives draws when something sent now is there: never before what was sent
// earlier.
func (h *half) arrives(now time.Time) time.Time {
	o := h.link.network.options
	at := now.Add(o.Delay)
	if o.Jitter > 0 {
		at = at.Add(time.Duration(h.link.rng.Int64N(int64(o.Jitter))))
	}
	if at.Before(h.lastAt) {
		at = h.lastAt
	}
	h.lastAt = at
	return at
}

// arrived is how much of buf can be read now.
func (h *half) arrived() int {
	if len(h.under) == 0 {
		return len(h.buf)
	}
	now := time.Now()
	for len(h.under) > 0 && !now.Before(h.under[0].at) {
		h.under = h.under[1:]
	}
	if len(h.under) == 0 {
		return len(h.buf)
	}
	return len(h.buf) - int(h.sent-h.under[0].begin)
}

// read hands out what has arrived, if the link lets it.
func (h *half) read(p []byte) (n int, err error) {
	open := !h.link.partitioned && !h.stalled
	if open || h.link.reset {
		if n = copy(p, h.buf[:h.arrived()]); n > 0 {
			h.buf = h.buf[n:]
			if len(h.buf) == 0 {
				h.buf = nil
			}
			h.wake()
			return n, nil
		}
	}
	switch {
	case h.link.reset && len(h.buf) == 0:
		return 0, errReset
	case open && h.fin && len(h.buf) == 0 && !time.Now().Before(h.finAt):
		return 0, io.EOF
	}
	return 0, nil
}

// finish says that nothing more is sent.
func (h *half) finish() {
	if h.fin {
		return
	}
	h.fin, h.finAt = true, h.arrives(time.Now())
	if h.finAt.After(time.Now()) {
		h.wakeAt(h.finAt)
	}
	h.wake()
}

// lose drops what is under way.
func (h *half) lose() {
	h.buf = h.buf[:h.arrived()]
	if h.link.partitioned {
		h.buf = nil
	}
	h.under = nil
}
