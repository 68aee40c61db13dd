package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// command is all that this program does: what its processes run is the same program
// with another first argument.
func command(args []string) error {
	if len(args) > 0 {
		switch args[0] {
		case roleNode:
			return runNode(args[1:])
		case roleBroker:
			return runBroker(args[1:])
		case roleFront:
			return runFront(args[1:])
		}
	}
	return runCluster(args)
}

// runCluster starts the cluster and serves its page until the user ends it.
func runCluster(args []string) error {
	var o options
	flags := flag.NewFlagSet("cluster", flag.ExitOnError)
	addr := flags.String("addr", "127.0.0.1:8080", "where to listen; port 0 takes a free one")
	flags.IntVar(&o.nodes, "nodes", 3, "how many nodes there are at first")
	flags.IntVar(&o.clients, "clients", 50, "how many demo clients there are; every other one sends positions")
	flags.IntVar(&o.rate, "rate", 30, "events published a second")
	flags.DurationVar(&o.lease, "lease", 3*time.Second, "for how long a node that says nothing lives")
	flags.IntVar(&o.drainRate, "drain-rate", 20, "sessions a second that a node lets go of")
	flags.StringVar(&o.server, "server", "", "the `URL` of the broker, nats://HOST:PORT or redis://HOST:PORT; empty: a NATS server of its own")
	flags.StringVar(&o.balancer, "balancer", "", "what stands before the nodes: nginx, which is to be installed; empty: a proxy of its own")
	flags.Parse(args)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	ln, err := net.Listen("tcp", *addr)
	if err != nil {
		return err
	}
	defer ln.Close()
	o.url = "ws://" + ln.Addr().String() + "/gateway"
	c, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer c.close()
	defer c.publish()()
	web := http.Server{Handler: c.handler()}
	failed := make(chan error, 1)
	go func() { failed <- web.Serve(ln) }()
	defer web.Close()
	fmt.Printf("http://%s\n", ln.Addr())
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}
