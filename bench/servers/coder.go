package servers

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// coder is package websocket as its users have it: a writer goroutine and a
// channel for each connection.
type coder struct {
	mu    sync.Mutex
	conns map[chan []byte]bool
}

func newCoder(Options) (Server, error) { return &coder{conns: map[chan []byte]bool{}}, nil }

func (s *coder) Serve(ln net.Listener) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{CompressionMode: websocket.CompressionDisabled})
		if err != nil {
			return
		}
		out := make(chan []byte, 64)
		s.mu.Lock()
		s.conns[out] = true
		s.mu.Unlock()
		ctx := ws.CloseRead(context.Background())
		for {
			select {
			case data := <-out:
				if ws.Write(context.Background(), websocket.MessageText, data) != nil {
					return
				}
			case <-ctx.Done():
				s.mu.Lock()
				delete(s.conns, out)
				s.mu.Unlock()
				return
			}
		}
	}))
}

func (s *coder) Publish(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for out := range s.conns {
		out <- data
	}
}
