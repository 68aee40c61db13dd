package socket

import "sync"

// buffer is a pooled byte slice of which a part was written.
type buffer struct {
	b    []byte
	from int
}

// keepBuffer is the largest buffer that goes back to the pool: a batch with
// what TLS adds to it.
const keepBuffer = tryAtOnce + 8<<10

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) unwritten() []byte { return b.b[b.from:] }

func (b *buffer) free() {
	if cap(b.b) <= keepBuffer {
		b.b, b.from = b.b[:0], 0
		buffers.Put(b)
	}
}

// trim returns a buffer of the right size for what is left, if that is little:
// it may have to wait for long.
func (b *buffer) trim() *buffer {
	left := b.unwritten()
	if 2*len(left) > cap(b.b) {
		return b
	}
	small := &buffer{b: append([]byte(nil), left...)}
	b.free()
	return small
}
