package socket

import (
	"crypto/tls"
	"sync/atomic"
)

// tryAtOnce is how much is encrypted before the socket is looked at.
const tryAtOnce = 64 << 10

// sealed is TLS above a connection of Listen.
type sealed struct {
	tls   *tls.Conn
	below *Conn
}

func (s *sealed) straight() bool { return true }

// try takes nothing while something of what was taken before is not out.
func (s *sealed) try(p []byte) (int, error) {
	if err := s.below.flush(); err != nil {
		return 0, err
	}
	done := 0
	for done < len(p) {
		part := p[done:min(len(p), done+tryAtOnce)]
		s.below.cork()
		n, err := s.tls.Write(part)
		out := s.below.flush()
		done += n
		switch {
		case err != nil:
			return done, err
		case out != nil:
			return done, out
		}
	}
	return done, nil
}

func (s *sealed) finish(p []byte, moved *atomic.Int64) error {
	for {
		if err := s.below.finish(moved); err != nil {
			return err
		}
		if len(p) == 0 {
			return nil
		}
		n, err := s.try(p)
		moved.Add(int64(n))
		if err != nil && err != ErrWouldBlock {
			return err
		}
		p = p[n:]
	}
}
