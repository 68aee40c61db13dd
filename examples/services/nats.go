package main

import (
	"errors"
	"net/url"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// dial connects to NATS. A connection that is lost is made again for as long as it takes.
func dial(addr string) (*natsgo.Conn, jetstream.JetStream, error) {
	conn, err := natsgo.Connect(addr, natsgo.MaxReconnects(-1), natsgo.ReconnectWait(200*time.Millisecond), natsgo.PingInterval(2*time.Second))
	if bad, ok := errors.AsType[*url.Error](err); ok {
		err = bad.Err // without the URL, which may have a password
	}
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

// startNATS starts a server in this process; port 0 takes a free one.
func startNATS(dir string, port int) (*server.Server, error) {
	if port == 0 {
		port = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: port, StoreDir: dir,
		JetStream: true, DisableJetStreamBanner: true, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		s.Shutdown()
		return nil, errors.New("NATS does not start")
	}
	return s, nil
}
