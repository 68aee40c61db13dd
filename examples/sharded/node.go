package main

import (
	"context"
	_ "embed"
	"errors"
	"net"
	"net/http"

	"github.com/gatehouse-go/gatehouse/gateway"
)

//go:embed page.html
var page []byte

const lobby = "lobby"

// said is what somebody said, and where that was heard.
type said struct {
	User string `json:"user"`
	Text string `json:"text"`
	Node string `json:"node"`
}

// node is one server. Nodes share a broker and a store of sessions, and nothing else.
type node struct {
	addr  string // of its own; clients know nginx' only
	gw    *gateway.Gateway
	web   *http.Server
	ended chan error
}

func startNode(broker gateway.Broker, sessions gateway.SessionStore, site http.Handler) (*node, error) {
	gw, err := gateway.New(gateway.Options{
		Authenticate: func(_ context.Context, id gateway.Identify) (gateway.User, error) {
			if id.Token == "" {
				return gateway.User{}, gateway.ErrUnauthorized
			}
			return gateway.User{ID: id.Token}, nil // an application knows better
		},
		Ready:    func(ctx context.Context, s *gateway.Session) (any, error) { return nil, s.Subscribe(ctx, lobby) },
		Broker:   broker,
		Sessions: sessions,
	})
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, errors.Join(err, gw.Shutdown(context.Background()))
	}
	n := &node{addr: listener.Addr().String(), gw: gw, ended: make(chan error, 1)}
	gateway.Handle(gw, "SAY", func(ctx context.Context, s *gateway.Session, text string) (any, error) {
		return nil, gw.Publish(ctx, lobby, gateway.Event{Type: "SAID", Data: said{s.User().ID, text, n.addr}})
	})
	gateway.Handle(gw, "WHERE", func(context.Context, *gateway.Session, any) (string, error) { return n.addr, nil })

	mux := http.NewServeMux()
	mux.Handle("/gateway", gw)
	mux.Handle("/nodes", site)
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Write(page)
	})
	n.web = &http.Server{Handler: mux}
	go func() { n.ended <- n.web.Serve(listener) }()
	return n, nil
}

// close sends everybody who is here elsewhere.
func (n *node) close(ctx context.Context) error {
	err := errors.Join(n.gw.Shutdown(ctx), n.web.Shutdown(ctx))
	if served := <-n.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}
