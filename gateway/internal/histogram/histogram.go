package histogram

import (
	"sync"
	"sync/atomic"
	"time"
)

// The window is the current slot and the five before it, 25 to 30 s: half a
// minute after the last slow thing, nothing of it is in the recent quantiles.
const (
	slots    = 6
	slotTime = 5 * time.Second
)

// Histogram counts durations, in 24 KB. Everything but Tick may be called by
// anybody at any time; Tick is its owner's, one call at a time. The zero value
// is ready for use.
type Histogram struct {
	current atomic.Uint32 // which of ring is observed into
	_       [60]byte      // what is read all the time is not on a line that is written all the time

	mu    sync.Mutex // guards since, and rotation against snapshots; never taken by Observe
	since int64      // when the current slot began, Unix nanoseconds; 0 before the first Tick
	ring  [slots]counts
	old   counts // of slots that have left the window
}

// Observe counts a duration. A negative one, which a clock that was set back
// can give, counts as 0. It takes no lock and allocates nothing.
func (h *Histogram) Observe(d time.Duration) {
	h.ring[h.current.Load()].observe(max(d, 0))
}

// Tick moves the window on to now. Called at least every 5 s, it keeps the
// window at 25 to 30 s; called later, slots are longer, and nothing is lost. A
// clock that was set back begins the current slot anew.
func (h *Histogram) Tick(now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	at := now.UnixNano()
	if h.since == 0 || at < h.since {
		h.since = at
		return
	}
	passed := (at - h.since) / int64(slotTime)
	for range min(passed, slots) {
		h.rotate()
	}
	h.since += passed * int64(slotTime)
}

// rotate makes the oldest slot the current one. Who has read current just
// before counts into the slot before: no harm. mu is held.
func (h *Histogram) rotate() {
	next := (h.current.Load() + 1) % slots
	h.ring[next].moveTo(&h.old)
	h.current.Store(next)
}

// Recent is what was counted in the last 25 to 30 s.
func (h *Histogram) Recent() *Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := new(Snapshot)
	for i := range h.ring {
		h.ring[i].addTo(s)
	}
	return s
}

// Total is everything that was counted.
func (h *Histogram) Total() *Snapshot {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := new(Snapshot)
	h.old.addTo(s)
	for i := range h.ring {
		h.ring[i].addTo(s)
	}
	return s
}
