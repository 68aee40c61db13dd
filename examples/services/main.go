package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	if err := command(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

// options are what the flags say.
type options struct {
	service string // one of the four; empty: all
	addr    string
	nats    string // the server's URL; empty: one of its own
	kafka   string // brokers; empty: the queue of what is said is in NATS, too
	data    string // the folder of the files; empty: one that is gone at the end
	child   bool
}

func command(args []string) error {
	var o options
	flags := flag.NewFlagSet("services", flag.ExitOnError)
	flags.StringVar(&o.service, "service", "", "run one `service`: gateway, messages, presence or notifications; empty: all of them")
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "where to listen; port 0 takes a free one")
	flags.StringVar(&o.nats, "nats", "", "the `URL` of a NATS server with JetStream; empty: one of its own")
	flags.StringVar(&o.kafka, "kafka", "", "`brokers`, host:port with commas between, that have what is said on its way to messages; empty: NATS has it")
	flags.StringVar(&o.data, "data", "", "the `folder` of what is kept; empty: one that is removed at the end")
	flags.BoolVar(&o.child, "child", false, "end when standard input does: set for those that this command starts")
	flags.Parse(args)

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	if o.service == "" {
		return runAll(ctx, o)
	}
	if o.child {
		ctx = childContext(ctx)
	}
	return runService(ctx, o)
}
