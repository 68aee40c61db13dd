package main

import (
	"context"
	"errors"
	"log/slog"
	"net/url"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// clusterName is what the broker and the sessions are called where they are kept.
const clusterName = "cluster"

var errServer = errors.New("a broker is nats://HOST:PORT or redis://HOST:PORT")

// parts are what the nodes share: who carries events between them, and who keeps
// their sessions. Nothing else of a node knows which servers these are.
type parts struct {
	broker   gateway.Broker
	sessions gateway.SessionStore
	close    func()
}

// openParts opens what a node shares with others at the server of that URL.
func openParts(ctx context.Context, server *url.URL, logger *slog.Logger) (*parts, error) {
	switch server.Scheme {
	case "nats":
		return openNATS(ctx, server, logger)
	case "redis":
		return openRedis(ctx, server, logger)
	}
	return nil, errServer
}

// publisher is what events are published with: it needs no gateway.
type publisher interface {
	Publish(ctx context.Context, topic string, ev gateway.Event) error
	Close() error
}

// openPublisher opens one, and returns with it what closes all that was opened.
func openPublisher(ctx context.Context, server *url.URL) (p publisher, closes func(), err error) {
	switch server.Scheme {
	case "nats":
		return publishNATS(ctx, server)
	case "redis":
		return publishRedis(ctx, server)
	}
	return nil, nil, errServer
}
