package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
)

// all are the four services, as processes, and the NATS server if it is ours.
type all struct {
	processes map[string]*process
	nats      string // the URL of the server
	stop      func() // ends them and waits
}

// startAll starts them. They end with stop, which o.data outlives.
func startAll(o options) (*all, error) {
	stopNATS := func() {}
	if o.nats == "" {
		s, err := startNATS(filepath.Join(o.data, "nats"), 0)
		if err != nil {
			return nil, err
		}
		o.nats, stopNATS = s.ClientURL(), func() { s.Shutdown(); s.WaitForShutdown() }
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	a := &all{processes: make(map[string]*process), nats: o.nats}
	for name := range services {
		p := &process{name: name, args: []string{
			"-service", name, "-child", "-addr", "127.0.0.1:0", "-nats", o.nats, "-kafka", o.kafka, "-data", o.data,
		}}
		a.processes[name] = p
		running.Go(func() { p.run(ctx) })
	}
	a.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		stopNATS()
	})
	return a, nil
}

// runAll starts them and serves the page and the proxy until ctx ends.
func runAll(ctx context.Context, o options) (err error) {
	ln, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "gatehouse-services-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	} else if err := os.MkdirAll(o.data, 0o755); err != nil {
		return err
	}
	a, err := startAll(o)
	if err != nil {
		return err
	}
	defer a.stop()
	fmt.Printf("http://%s\n", ln.Addr())
	return serve(ctx, ln, a.front())
}
