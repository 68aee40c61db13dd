package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopWithin is how long a stopping server waits for its clients.
const stopWithin = 5 * time.Second

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address to listen at; port 0 takes a free one")
	data := flag.String("data", "chat.db", "file that keeps the messages; made if it is not there")
	state := flag.String("state", "", "file in which sessions are left to the next start; empty: they end with the server")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // who asks a second time does not want to wait
	if err := run(ctx, *addr, *data, *state); err != nil {
		fmt.Fprintln(os.Stderr, "chat:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr, data, state string) error {
	ln, inherited, err := listen(addr)
	if err != nil {
		return err
	}
	s, err := newServer(ctx, data, state)
	if err != nil {
		ln.Close()
		return err
	}
	web := startWeb(ln, s.handler())
	fmt.Println(url(ln.Addr()))

	select {
	case <-ctx.Done():
	case err = <-web.failed:
	}
	within, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if inherited && err == nil {
		err = web.leave(within) // who comes now waits for the successor
	}
	return errors.Join(err, s.close(within), web.Close())
}
