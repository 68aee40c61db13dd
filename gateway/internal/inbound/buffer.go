package inbound

import "sync"

// buffer is a byte slice from a pool. The zero value has no memory.
type buffer struct {
	b    []byte
	from *[]byte // what goes back to the pool; nil: nothing does
}

// Sizes of pooled buffers, each four times the one before. What is larger grows
// as append has it, and is left to the collector.
const (
	smallest = 64
	classes  = 6 // up to 64 KB
)

var pools [classes]sync.Pool

// classOf is the first class that holds n bytes; classes if none does.
func classOf(n int) int {
	class := 0
	for size := smallest; size < n && class < classes; size *= 4 {
		class++
	}
	return class
}

// append appends p, and takes a larger buffer if need be.
func (b *buffer) append(p []byte) {
	if n := len(b.b) + len(p); n > cap(b.b) {
		b.grow(n)
	}
	b.b = append(b.b, p...)
}

func (b *buffer) grow(n int) {
	class := classOf(n)
	if class == classes {
		return // append does it; what was pooled is free below
	}
	next, _ := pools[class].Get().(*[]byte)
	if next == nil {
		s := make([]byte, 0, smallest<<(2*class))
		next = &s
	}
	grown := append((*next)[:0], b.b...)
	b.free()
	b.b, b.from = grown, next
}

// free gives the memory back.
func (b *buffer) free() {
	if b.from != nil {
		pools[classOf(cap(*b.from))].Put(b.from)
	}
	b.b, b.from = nil, nil
}
