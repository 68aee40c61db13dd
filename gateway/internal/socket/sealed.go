package socket

import (
	"crypto/tls"
	"io"
	"sync/atomic"
)

// tryAtOnce is how much is encrypted before the socket is looked at.
const tryAtOnce = 64 << 10

// sealed is TLS above a connection of Listen.
type sealed struct {
	tls   *tls.Conn
	under *Conn

	// owed says that one byte fewer was reported as taken than was. TLS takes
	// all or nothing, and who was told that all is taken would not come back,
	// while something is still kept below.
	owed bool
}

func (s *sealed) straight() bool { return true }

func (s *sealed) below() io.Closer { return s.tls }

// try takes nothing while something of what was taken before is not out.
func (s *sealed) try(p []byte) (int, error) {
	if err := s.under.flush(); err != nil || len(p) == 0 {
		return 0, err
	}
	done := 0
	if s.owed {
		s.owed, done = false, 1
	}
	for done < len(p) {
		part := p[done:min(len(p), done+tryAtOnce)]
		s.under.cork()
		n, err := s.tls.Write(part)
		out := s.under.flush()
		done += n
		switch {
		case err != nil:
			return done, err
		case out == ErrWouldBlock && done == len(p):
			s.owed = true
			return done - 1, out
		case out != nil:
			return done, out
		}
	}
	return done, nil
}

func (s *sealed) finish(p []byte, moved *atomic.Int64) error {
	for {
		if err := s.under.finish(moved); err != nil || len(p) == 0 {
			return err
		}
		n, err := s.try(p)
		moved.Add(int64(n))
		if err != nil && err != ErrWouldBlock {
			return err
		}
		p = p[n:]
	}
}
