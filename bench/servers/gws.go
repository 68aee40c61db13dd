package servers

import (
	"net"
	"net/http"
	"sync"

	"github.com/lxzan/gws"
)

type gwsServer struct {
	gws.BuiltinEventHandler
	mu    sync.Mutex
	conns map[*gws.Conn]bool
}

func newGws(Options) (Server, error) { return &gwsServer{conns: map[*gws.Conn]bool{}}, nil }

func (s *gwsServer) OnOpen(c *gws.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = true
}

func (s *gwsServer) OnClose(c *gws.Conn, _ error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

func (s *gwsServer) Serve(ln net.Listener) error {
	up := gws.NewUpgrader(s, &gws.ServerOption{})
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, err := up.Upgrade(w, r); err == nil {
			go c.ReadLoop()
		}
	}))
}

func (s *gwsServer) Publish(data []byte) {
	b := gws.NewBroadcaster(gws.OpcodeText, data)
	defer b.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		b.Broadcast(c)
	}
}
