package media

import (
	"context"
	"io"
)

// limited ends with ErrTooLarge when there is more to read than left, and when ctx has ended.
type limited struct {
	ctx  context.Context
	r    io.Reader
	left int64
}

func (l *limited) Read(p []byte) (int, error) {
	if err := l.ctx.Err(); err != nil {
		return 0, err
	}
	if l.left < 0 {
		return 0, ErrTooLarge
	}
	if l.left < int64(len(p)) {
		p = p[:l.left+1] // one more, to tell the end from too much
	}
	n, err := l.r.Read(p)
	if l.left -= int64(n); l.left < 0 {
		return 0, ErrTooLarge
	}
	return n, err
}
