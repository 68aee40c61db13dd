package main

import (
	"errors"
	"flag"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// roleBroker is the process that is the NATS server: one of its own, so that it can be
// killed too.
const roleBroker = "broker"

// listening is the first line of a process.
type listening struct {
	Addr    string `json:"addr"`
	Monitor string `json:"monitor,omitempty"` // of the broker: where it says what it has sent
}

// runBroker serves NATS until who started it ends.
func runBroker(args []string) error {
	flags := flag.NewFlagSet(roleBroker, flag.ExitOnError)
	dir := flags.String("dir", "", "where the server keeps what it stores")
	port := flags.Int("port", server.RANDOM_PORT, "where it listens")
	flags.Parse(args)
	s, err := server.NewServer(&server.Options{
		Host: "127.0.0.1", Port: *port, HTTPHost: "127.0.0.1", HTTPPort: server.RANDOM_PORT, StoreDir: *dir,
		JetStream: true, DisableJetStreamBanner: true, NoLog: true, NoSigs: true,
	})
	if err != nil {
		return err
	}
	s.Start()
	if !s.ReadyForConnections(20 * time.Second) {
		return errors.New("NATS does not start")
	}
	say(listening{s.Addr().String(), s.MonitorAddr().String()})
	<-orphaned()
	s.Shutdown()
	return nil
}
