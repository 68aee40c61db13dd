package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	addr := flag.String("addr", "127.0.0.1:8080", "address that nginx is to listen at")
	nodes := flag.Int("nodes", 3, "how many servers there are at first")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *addr, *nodes); err != nil {
		fmt.Fprintln(os.Stderr, "sharded:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, addr string, nodes int) error {
	s, err := open(ctx, addr, nodes)
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil // told to end before all was there
	}
	if err != nil {
		return err
	}
	fmt.Printf("http://%s: %d nodes behind nginx\n", addr, nodes)
	select {
	case <-ctx.Done():
	case <-s.nginx.Ended(): // an error, as close says
	}
	return s.close()
}
