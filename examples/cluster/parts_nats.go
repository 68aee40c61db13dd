package main

import (
	"context"
	"log/slog"
	"net/url"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
)

// dialNATS connects. A connection that is lost is made again for as long as it takes;
// one that says nothing for two seconds is lost.
func dialNATS(server *url.URL, as string) (*natsgo.Conn, jetstream.JetStream, error) {
	conn, err := natsgo.Connect(server.String(), natsgo.Name(as),
		natsgo.MaxReconnects(-1), natsgo.ReconnectWait(200*time.Millisecond),
		natsgo.PingInterval(time.Second), natsgo.MaxPingsOutstanding(2), natsgo.Timeout(time.Second))
	if err != nil {
		return nil, nil, err
	}
	js, err := jetstream.New(conn)
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return conn, js, nil
}

func openNATS(ctx context.Context, server *url.URL, logger *slog.Logger) (*parts, error) {
	conn, js, err := dialNATS(server, "node")
	if err != nil {
		return nil, err
	}
	broker, err := nats.NewBroker(ctx, js, clusterName, nats.BrokerOptions{Logger: logger})
	if err != nil {
		conn.Close()
		return nil, err
	}
	sessions, err := nats.NewSessions(ctx, js, clusterName, nats.StoreOptions{})
	if err != nil {
		broker.Close()
		conn.Close()
		return nil, err
	}
	return &parts{
		broker: broker, sessions: sessions,
		close: func() {
			sessions.Close()
			broker.Close()
			conn.Close()
		},
	}, nil
}

func publishNATS(ctx context.Context, server *url.URL) (publisher, func(), error) {
	conn, js, err := dialNATS(server, "publisher")
	if err != nil {
		return nil, nil, err
	}
	p, err := nats.NewPublisher(ctx, js, clusterName, nats.BrokerOptions{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		conn.Close()
		return nil, nil, err
	}
	return p, func() {
		p.Close()
		conn.Close()
	}, nil
}
