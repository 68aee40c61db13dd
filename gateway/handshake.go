package gateway

import (
	"bufio"
	"net"
	"net/http"
	"time"

	"github.com/coder/websocket"
)

// The handshake is package websocket's. What comes after it is not: the
// connection is taken back, so that none keeps what a websocket.Conn and net/http
// keep, 10 KB together.

// accept does the handshake. After an error it has been answered: a bad request,
// or a page of another origin.
func (g *Gateway) accept(w http.ResponseWriter, r *http.Request) (hijacked, error) {
	h := &hijacker{ResponseWriter: w}
	ws, err := websocket.Accept(h, r, &websocket.AcceptOptions{
		OriginPatterns:     g.opts.Origins,
		InsecureSkipVerify: len(g.opts.Origins) == 1 && g.opts.Origins[0] == "*",
		CompressionMode:    websocket.CompressionDisabled,
	})
	if err != nil {
		return hijacked{}, err
	}
	ws.CloseNow() // takes its finalizer off, without which it is never freed
	return h.hijacked, nil
}

// hijacked is a connection that was taken from net/http.
type hijacked struct {
	net.Conn
	early []byte // what arrived together with the handshake
}

// Close leaves the connection open: it is package websocket that lets go of it.
func (h hijacked) Close() error { return nil }

// hijacker notes what package websocket hijacks.
type hijacker struct {
	http.ResponseWriter
	hijacked hijacked
}

func (h *hijacker) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	nc, brw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	// Deadlines of the http.Server are of its requests.
	if err := nc.SetDeadline(time.Time{}); err != nil {
		nc.Close()
		return nil, nil, err
	}
	h.hijacked.Conn = nc
	if n := brw.Reader.Buffered(); n > 0 {
		early, _ := brw.Reader.Peek(n)
		h.hijacked.early = append([]byte(nil), early...)
	}
	return h.hijacked, brw, nil
}

// hijackable reports whether a ResponseWriter, or one that it wraps, gives its
// connection away.
func hijackable(w http.ResponseWriter) bool {
	for {
		if _, ok := w.(http.Hijacker); ok {
			return true
		}
		wrapper, ok := w.(interface{ Unwrap() http.ResponseWriter })
		if !ok {
			return false
		}
		w = wrapper.Unwrap()
	}
}
