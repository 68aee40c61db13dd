// Command backends is the chat of examples/chat with its messages in PostgreSQL or
// Cassandra, and on their way there in a queue of Redis, Kafka or NATS: a flag for
// each. It has no code of a chat's own; see README.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/examples/chat/server"
)

func main() {
	chosen := server.Flags(flag.CommandLine)
	store := flag.String("store", "", "what keeps the messages: "+stores+"; empty: the file of -data")
	queue := flag.String("queue", "", "what has them on their way there: "+queues+"; empty: nothing")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	addr, options := chosen()
	if err := run(ctx, addr, options, *store, *queue); err != nil {
		fmt.Fprintln(os.Stderr, "backends:", oneLine(err))
		os.Exit(1)
	}
}

// openWithin is how long a server behind a URL may take to answer at the start.
const openWithin = 20 * time.Second

// run serves until ctx ends. The chat is closed before what it stands on.
func run(ctx context.Context, addr string, o server.Options, store, queue string) (err error) {
	opening, cancel := context.WithTimeout(ctx, openWithin)
	defer cancel()
	closeStore, err := openStore(opening, store, &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeStore()) }()
	closeQueue, err := openQueue(opening, queue, &o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closeQueue()) }()
	return server.Run(ctx, addr, o)
}

// oneLine is an error in one line: some drivers use several, one for each address that they tried.
func oneLine(err error) string {
	return strings.Join(strings.Fields(err.Error()), " ")
}

// nothing closes what was not opened.
func nothing() error { return nil }
