package servers

import (
	"context"
	"net"
	"net/http"

	"github.com/centrifugal/centrifuge"
)

// centrifugeServer subscribes every client to one channel, by the server, in
// Protobuf.
type centrifugeServer struct{ node *centrifuge.Node }

const channel = "everybody"

func newCentrifuge(Options) (Server, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{
			Credentials:   &centrifuge.Credentials{UserID: "user"},
			Subscriptions: map[string]centrifuge.SubscribeOptions{channel: {}},
		}, nil
	})
	return &centrifugeServer{node}, node.Run()
}

func (s *centrifugeServer) Serve(ln net.Listener) error {
	return http.Serve(ln, centrifuge.NewWebsocketHandler(s.node, centrifuge.WebsocketConfig{CheckOrigin: func(*http.Request) bool { return true }}))
}

func (s *centrifugeServer) Publish(data []byte) { s.node.Publish(channel, data) }
