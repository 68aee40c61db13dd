package codec

import "sync"

// buffer is a pooled byte slice, and the writer of pooled encoders.
type buffer struct{ b []byte }

// keep is the largest buffer that goes back to a pool: one large message must not pin its memory.
const keep = 64 << 10

var buffers = sync.Pool{New: func() any { return new(buffer) }}

func getBuffer() *buffer { return buffers.Get().(*buffer) }

func (b *buffer) free() {
	if cap(b.b) <= keep {
		b.b = b.b[:0]
		buffers.Put(b)
	}
}

func (b *buffer) Write(p []byte) (int, error) {
	b.b = append(b.b, p...)
	return len(p), nil
}

func (b *buffer) WriteByte(c byte) error {
	b.b = append(b.b, c)
	return nil
}
