package servers

import (
	"net"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"
)

// gorilla prepares a message once, and each connection has a goroutine that
// writes it.
type gorilla struct {
	mu    sync.Mutex
	conns map[chan *websocket.PreparedMessage]bool
}

func newGorilla(Options) (Server, error) {
	return &gorilla{conns: map[chan *websocket.PreparedMessage]bool{}}, nil
}

func (s *gorilla) Serve(ln net.Listener) error {
	up := websocket.Upgrader{}
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		out, gone := make(chan *websocket.PreparedMessage, 64), make(chan struct{})
		s.mu.Lock()
		s.conns[out] = true
		s.mu.Unlock()
		go func() {
			for {
				select {
				case m := <-out:
					if c.WritePreparedMessage(m) != nil {
						return
					}
				case <-gone:
					return
				}
			}
		}()
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				break
			}
		}
		s.mu.Lock()
		delete(s.conns, out)
		s.mu.Unlock()
		close(gone)
	}))
}

func (s *gorilla) Publish(data []byte) {
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, data)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for out := range s.conns {
		out <- m
	}
}
