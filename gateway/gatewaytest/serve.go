package gatewaytest

import (
	"context"
	"io"
	"log"
	"net/http"
	"testing"
	"time"
)

// Serve serves a handler at addr until the test ends, or until what it returns
// is called. Its goroutines end with it: a handler that has a method Shutdown,
// as a [gateway.Gateway] has, is shut down before, within ten seconds.
func (n *Network) Serve(t testing.TB, addr string, h http.Handler) (stop func()) {
	t.Helper()
	srv := &http.Server{Handler: h, ErrorLog: log.New(io.Discard, "", 0)}
	ln := n.Listen(addr)
	done := make(chan struct{})
	go func() {
		defer close(done)
		srv.Serve(ln)
	}()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		if s, ok := h.(interface{ Shutdown(context.Context) error }); ok {
			ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
			defer cancel()
			s.Shutdown(ctx) // one that was shut down already says so, which is no failure
		}
		srv.Close()
		<-done
	}
	t.Cleanup(stop)
	return stop
}
