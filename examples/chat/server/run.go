package server

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// stopWithin is how long a stopping server waits for its clients.
const stopWithin = 5 * time.Second

// Run listens, at the socket that a service manager hands over or at addr, prints
// the URL, and serves until ctx ends. Then it waits for its clients for 5 s at most,
// and closes the Server. Errors are one line each.
func Run(ctx context.Context, addr string, o Options) error {
	ln, inherited, err := listen(addr)
	if err != nil {
		return err
	}
	if o.URL == "" {
		o.URL = urlOf(ln.Addr())
	}
	s, err := New(ctx, o)
	if err != nil {
		ln.Close()
		return err
	}
	web := startWeb(ln, s.Handler())
	fmt.Println(urlOf(ln.Addr()))

	select {
	case <-ctx.Done():
	case err = <-web.failed:
	}
	within, cancel := context.WithTimeout(context.Background(), stopWithin)
	defer cancel()
	if inherited && err == nil {
		err = web.leave(within) // who comes now waits for the successor
	}
	return errors.Join(err, s.Close(within), web.Close())
}
