package server

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// web is the HTTP server, which knows how to leave its socket to a successor.
type web struct {
	*http.Server
	ln      net.Listener
	failed  chan error // takes one result of Serve
	goodbye time.Duration
	leaving atomic.Bool

	mu    sync.Mutex
	conns map[net.Conn]http.ConnState // those that are not upgraded
}

// startWeb serves at ln.
func startWeb(ln net.Listener, next http.Handler) *web {
	w := &web{ln: ln, failed: make(chan error, 1), goodbye: goodbyeWithin, conns: make(map[net.Conn]http.ConnState)}
	w.Server = &http.Server{Handler: w.sayingGoodbye(next), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, ConnState: w.note}
	go func() { w.failed <- w.Serve(ln) }()
	return w
}

func (w *web) note(conn net.Conn, state http.ConnState) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch state {
	case http.StateClosed, http.StateHijacked:
		delete(w.conns, conn)
	default:
		w.conns[conn] = state
	}
}

// sayingGoodbye tells clients with an answer that their connection ends: one
// that is closed while it is idle may be sent a request at that very moment.
func (w *web) sayingGoodbye(next http.Handler) http.Handler {
	return http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		if w.leaving.Load() {
			out.Header().Set("Connection", "close")
		}
		next.ServeHTTP(out, r)
	})
}

const (
	// goodbyeWithin is how long connections may be open to hear that they end.
	goodbyeWithin = 500 * time.Millisecond
	// requestsWithin is how long a stopping server waits for requests: one may
	// never be sent in full.
	requestsWithin = 2 * time.Second
)

// leave accepts nobody any more, finishes the requests that have come, and
// returns. Upgraded connections are the gateway's.
func (w *web) leave(ctx context.Context) error {
	w.leaving.Store(true)
	err := w.ln.Close() // a copy: its other holders keep the socket
	w.awaitGoodbyes(ctx)
	w.closeUnused()
	waiting, enough := context.WithTimeout(ctx, requestsWithin)
	defer enough()
	switch e := w.Shutdown(waiting); {
	case errors.Is(e, net.ErrClosed): // the listener, which is
	case errors.Is(e, context.DeadlineExceeded): // they are cut off
	default:
		err = errors.Join(err, e)
	}
	return err
}

func (w *web) awaitGoodbyes(ctx context.Context) {
	enough := time.After(w.goodbye)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for w.open() > 0 {
		select {
		case <-tick.C:
		case <-enough:
			return
		case <-ctx.Done():
			return
		}
	}
}

func (w *web) open() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.conns)
}

// closeUnused closes connections that never carried a request, which clients
// open to have one ready. http.Server would wait five seconds for each.
func (w *web) closeUnused() {
	w.mu.Lock()
	var unused []net.Conn
	for conn, state := range w.conns {
		if state == http.StateNew {
			unused = append(unused, conn)
		}
	}
	w.mu.Unlock()
	for _, conn := range unused {
		conn.Close()
	}
}
