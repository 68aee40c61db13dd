package wheel

import "time"

// Wheel holds items until about the time they were added for, and then hands
// them out. It is pure: no clock, no lock. Deadlines beyond its horizon are
// handed out early; whoever takes an item looks at its real deadline and adds
// it again.
type Wheel[T any] struct {
	tick    time.Duration
	buckets [][]T
	now     int64 // the tick that Advance has reached
	len     int
}

// New returns a wheel that starts at now and looks n ticks ahead.
func New[T any](now time.Time, tick time.Duration, n int) *Wheel[T] {
	return &Wheel[T]{tick: tick, buckets: make([][]T, n), now: now.UnixNano() / int64(tick)}
}

// Add puts an item in the bucket of a time: never earlier than the next tick,
// never later than the horizon.
func (w *Wheel[T]) Add(item T, at time.Time) {
	ticks := (at.UnixNano()+int64(w.tick)-1)/int64(w.tick) - w.now
	ticks = min(max(ticks, 1), int64(len(w.buckets))-1)
	i := (w.now + ticks) % int64(len(w.buckets))
	w.buckets[i] = append(w.buckets[i], item)
	w.len++
}

// Len returns how many items the wheel holds.
func (w *Wheel[T]) Len() int { return w.len }

// Advance appends to due every item whose tick has come, and returns it.
func (w *Wheel[T]) Advance(now time.Time, due []T) []T {
	to := now.UnixNano() / int64(w.tick)
	steps := min(to-w.now, int64(len(w.buckets)))
	for range steps {
		w.now++
		i := w.now % int64(len(w.buckets))
		due = append(due, w.buckets[i]...)
		w.len -= len(w.buckets[i])
		clear(w.buckets[i])
		w.buckets[i] = w.buckets[i][:0]
	}
	w.now = max(w.now, to)
	return due
}
