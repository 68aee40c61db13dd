package servers

import (
	"net"
	"net/http"

	"github.com/olahol/melody"
)

type melodyServer struct{ m *melody.Melody }

func newMelody(Options) (Server, error) { return &melodyServer{melody.New()}, nil }

func (s *melodyServer) Serve(ln net.Listener) error {
	return http.Serve(ln, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.m.HandleRequest(w, r) }))
}

func (s *melodyServer) Publish(data []byte) { s.m.Broadcast(data) }
