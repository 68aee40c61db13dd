package gateway

import "sync"

// control is a connection's control lane: what goes before data. There is one
// only while something waits in it, so that a quiet connection holds none. The
// connection's mu guards it.
type control struct {
	frames  []byte // whole ones
	n       int    // how many
	pong    []byte // the newest
	goodbye []byte // the close frame: the last of all
}

// The control lane's bounds: beyond them the reader waits.
const (
	controlFrames = 64
	controlBytes  = 256 << 10
)

// keepControl is what a lane keeps of a buffer that grew for a large reply.
const keepControl = 1 << 10

var controls = sync.Pool{New: func() any { return new(control) }}

func (l *control) add(frames []byte) {
	l.frames = append(l.frames, frames...)
	l.n++
}

// full reports whether the reader has to wait. A nil lane is empty.
func (l *control) full() bool {
	return l != nil && (l.n >= controlFrames || len(l.frames) >= controlBytes)
}

// appendTo empties the lane into buf and gives it back to the pool.
func (l *control) appendTo(buf []byte) []byte {
	buf = append(buf, l.frames...)
	buf = append(buf, l.pong...)
	buf = append(buf, l.goodbye...)
	if cap(l.frames) > keepControl {
		l.frames = nil
	}
	l.frames, l.n, l.pong, l.goodbye = l.frames[:0], 0, l.pong[:0], nil
	controls.Put(l)
	return buf
}
