package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// service is what runs in a process: it serves HTTP, and does its work until close.
type service struct {
	http.Handler
	close func(context.Context) error // lets go of what it has, and waits
}

// services are those that there are. Each opens what it needs in the time of ctx.
var services = map[string]func(ctx context.Context, js jetstream.JetStream, o options) (*service, error){
	"gateway":       openGateway,
	"messages":      openMessages,
	"presence":      openPresence,
	"notifications": openNotifications,
}

const (
	openWithin  = 20 * time.Second // what a service needs to begin
	closeWithin = 10 * time.Second // and to end
)

// runService runs one service until ctx ends. Its URL is its first line.
func runService(ctx context.Context, o options) (err error) {
	open := services[o.service]
	switch {
	case open == nil:
		return fmt.Errorf("there is no service %q", o.service)
	case o.nats == "":
		return errors.New("-service needs -nats")
	}
	if o.data == "" {
		o.data = "."
	}
	conn, js, err := dial(o.nats)
	if err != nil {
		return fmt.Errorf("NATS: %w", err)
	}
	defer conn.Close()
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	s, err := open(opening, js, o)
	if err != nil {
		return fmt.Errorf("%s: %w", o.service, err)
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		err = errors.Join(err, s.close(ending))
	}()
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stdout, "http://%s\n", ln.Addr())
	return serve(ctx, ln, s)
}

// serve answers until ctx ends.
func serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	web := http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(ln) }()
	defer web.Close()
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
