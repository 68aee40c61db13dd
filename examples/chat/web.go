package main

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// web is the HTTP server, which knows how to leave its socket to a successor.
type web struct {
	*http.Server
	ln      net.Listener
	failed  chan error // takes one result of Serve
	leaving atomic.Bool
	open    atomic.Int64 // connections that are not upgraded
}

// startWeb serves at ln.
func startWeb(ln net.Listener, next http.Handler) *web {
	w := &web{ln: ln, failed: make(chan error, 1)}
	w.Server = &http.Server{Handler: w.sayingGoodbye(next), ReadHeaderTimeout: 10 * time.Second, ReadTimeout: time.Minute, ConnState: w.count}
	go func() { w.failed <- w.Serve(ln) }()
	return w
}

func (w *web) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		w.open.Add(1)
	case http.StateClosed, http.StateHijacked:
		w.open.Add(-1)
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

// goodbyeWithin is how long connections may be open to hear that they end;
// after it those that are idle are closed.
const goodbyeWithin = 500 * time.Millisecond

// leave accepts nobody any more, finishes the requests that have come, and
// returns. Upgraded connections are the gateway's.
func (w *web) leave(ctx context.Context) error {
	w.leaving.Store(true)
	err := w.ln.Close() // a copy: its other holders keep the socket
	enough := time.After(goodbyeWithin)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for waiting := true; waiting && w.open.Load() > 0; {
		select {
		case <-tick.C:
		case <-enough:
			waiting = false
		case <-ctx.Done():
			waiting = false
		}
	}
	if e := w.Shutdown(ctx); !errors.Is(e, net.ErrClosed) { // which is the listener
		err = errors.Join(err, e)
	}
	return err
}
