package server

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"testing"
	"time"
)

// A server that leaves its socket finishes what was asked, and says with the
// next answer that the connection ends.
func TestLeaveSaysGoodbye(t *testing.T) {
	asked, answer := make(chan struct{}), make(chan struct{})
	w := webFor(t, http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		asked <- struct{}{}
		<-answer
		io.WriteString(out, "done")
	}))
	w.goodbye = time.Minute // ends when nobody is left
	busy := dial(t, w)
	io.WriteString(busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	<-asked
	left := make(chan error, 1)
	go func() { left <- w.leave(t.Context()) }()
	<-w.failed // nobody is accepted
	if conn, err := net.Dial("tcp", w.ln.Addr().String()); err == nil {
		conn.Close()
		t.Error("a connection was accepted")
	}
	close(answer)
	answers := bufio.NewReader(busy)
	for _, last := range []bool{false, true} {
		if last {
			io.WriteString(busy, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
			<-asked
		}
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); string(body) != "done" || err != nil || resp.Close != last {
			t.Errorf("answered %q, %v, and that the connection ends: %v", body, err, resp.Close)
		}
	}
	if err := <-left; err != nil {
		t.Error(err)
	}
}

// Connections that never asked for anything, or did so long ago, do not hold a
// leaving server up.
func TestLeaveWaitsForNobodyIdle(t *testing.T) {
	w := webFor(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	w.goodbye = time.Millisecond
	unused, idle := dial(t, w), dial(t, w)
	io.WriteString(idle, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
	answers := bufio.NewReader(idle)
	if _, err := http.ReadResponse(answers, nil); err != nil {
		t.Fatal(err)
	}
	for w.open() < 2 { // until both are accepted
		runtime.Gosched()
	}
	began := time.Now()
	if err := w.leave(t.Context()); err != nil {
		t.Error(err)
	}
	if took := time.Since(began); took >= requestsWithin {
		t.Errorf("it took %v", took)
	}
	for name, from := range map[string]io.Reader{"unused": unused, "idle": answers} {
		if n, err := from.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: %d bytes came", name, n)
		}
	}
}

func webFor(t *testing.T, next http.Handler) *web {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := startWeb(ln, next)
	t.Cleanup(func() { w.Close() })
	return w
}

func dial(t *testing.T, w *web) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", w.ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}
