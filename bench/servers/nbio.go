package servers

import (
	"net"
	"net/http"
	"sync"

	"github.com/lesismal/nbio/logging"
	"github.com/lesismal/nbio/nbhttp"
	"github.com/lesismal/nbio/nbhttp/websocket"
)

// nbioServer has an event loop of its own, which listens by itself: the listener
// that it is given lends it the address.
type nbioServer struct {
	mu    sync.Mutex
	conns map[*websocket.Conn]bool
}

func newNbio(Options) (Server, error) { return &nbioServer{conns: map[*websocket.Conn]bool{}}, nil }

func (s *nbioServer) Serve(ln net.Listener) error {
	logging.SetLevel(logging.LevelNone) // it would write to standard output
	up := websocket.NewUpgrader()
	up.OnOpen(func(c *websocket.Conn) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.conns[c] = true
	})
	up.OnClose(func(c *websocket.Conn, _ error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.conns, c)
	})
	mux := http.NewServeMux()
	mux.HandleFunc("/ws", func(w http.ResponseWriter, r *http.Request) { up.Upgrade(w, r, nil) })
	engine := nbhttp.NewEngine(nbhttp.Config{Network: "tcp", Addrs: []string{ln.Addr().String()}, Handler: mux, IOMod: nbhttp.IOModNonBlocking})
	ln.Close()
	return engine.Start()
}

func (s *nbioServer) Publish(data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.WriteMessage(websocket.TextMessage, data)
	}
}
