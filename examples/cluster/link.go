package main

import (
	"net"
	"sync"
)

// link is a node's way to the broker. When it is cut nothing comes through in either
// direction, and nobody is told, as when a network fails.
type link struct {
	ln net.Listener
	to string

	mu    sync.Mutex
	cut   bool
	stale map[net.Conn]bool // both ends of every connection; true: it has lost bytes
}

func newLink(to string) (*link, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	l := &link{ln: ln, to: to, stale: make(map[net.Conn]bool)}
	go l.accept()
	return l, nil
}

func (l *link) addr() string { return l.ln.Addr().String() }

func (l *link) accept() {
	for {
		from, err := l.ln.Accept()
		if err != nil {
			return // closed
		}
		go l.carry(from)
	}
}

// carry passes on what comes until one side ends.
func (l *link) carry(from net.Conn) {
	defer from.Close()
	if l.isCut(from) {
		buf := make([]byte, 1<<10)
		for { // who dials now hears nothing
			if _, err := from.Read(buf); err != nil {
				l.forget(from)
				return
			}
		}
	}
	to, err := net.Dial("tcp", l.to)
	if err != nil {
		l.forget(from)
		return
	}
	defer to.Close()
	l.isCut(to)
	back := make(chan struct{})
	go func() {
		defer close(back)
		l.copy(from, to)
	}()
	l.copy(to, from)
	<-back
	l.forget(from, to)
}

// copy passes on one direction; what comes while the link is cut is lost.
func (l *link) copy(to, from net.Conn) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		if l.isCut(from) {
			continue
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// isCut reports whether nothing comes through, and remembers the connection.
func (l *link) isCut(c net.Conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stale[c] = l.stale[c] || l.cut
	return l.stale[c]
}

func (l *link) forget(conns ...net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range conns {
		delete(l.stale, c)
	}
}

// set cuts the link, or mends it: then connections that have lost something end.
func (l *link) set(cut bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut = cut
	if cut {
		return
	}
	for c, lost := range l.stale {
		if lost {
			c.Close()
		}
	}
}

// close ends the link and all that goes through it.
func (l *link) close() {
	l.ln.Close()
	l.mu.Lock()
	defer l.mu.Unlock()
	for c := range l.stale {
		c.Close()
	}
}
