package main

import (
	"context"
	"log/slog"
	"time"

	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
)

// clusterName is what the broker and the sessions are called in NATS.
const clusterName = "cluster"

// dial connects to NATS. A connection that is lost is made again for as long as it
// takes; one that says nothing for two seconds is lost.
func dial(addr string) (*natsgo.Conn, jetstream.JetStream, error) {
	conn, err := natsgo.Connect(addr,
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

// shared is what the nodes share: who carries events between them, and who keeps
// their sessions. It is all of a node that knows NATS.
type shared struct {
	broker   *nats.Broker
	sessions *nats.Sessions
	conn     *natsgo.Conn
}

func openShared(ctx context.Context, addr string, logger *slog.Logger) (*shared, error) {
	conn, js, err := dial(addr)
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
	return &shared{broker, sessions, conn}, nil
}

func (s *shared) close() {
	s.broker.Close()
	s.sessions.Close()
	s.conn.Close()
}
