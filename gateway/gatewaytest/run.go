package gatewaytest

import (
	"context"
	"errors"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Run keeps the client connected until ctx ends: it identifies, resumes after
// every drop and every Reconnect, identifies anew after op 9, and waits longer
// from try to try, one second at first and a minute at most, with chance. It
// returns ctx's error, or the *[gateway.CloseError] after which a client does
// not come back. The connection is dropped when it returns; Close ends the
// session where it is still to be ended.
func (c *Client) Run(ctx context.Context) error {
	defer c.Drop()
	backoff := time.Second
	for {
		lived, err := c.visit(ctx)
		var ce *gateway.CloseError
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &ce) && !ce.Code.Reconnect():
			return err
		}
		if lived {
			backoff = time.Second
		}
		if err := c.pause(ctx, backoff); err != nil {
			return err
		}
		backoff = min(2*backoff, time.Minute)
	}
}

// pause waits between half of a time and all of it.
func (c *Client) pause(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	d = d/2 + time.Duration(c.rng.Int64N(int64(d/2)))
	c.mu.Unlock()
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// visit is one connection, from dialling to its end. It reports whether the
// session went on.
func (c *Client) visit(ctx context.Context) (lived bool, err error) {
	dialling, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	if err := c.Connect(dialling); err != nil {
		return false, err
	}
	k, err := c.current()
	if err != nil {
		return false, err
	}
	for {
		if err := c.signIn(dialling, k); err != nil {
			c.Drop()
			return false, err
		}
		c.mu.Lock()
		err := c.wait(ctx, func() bool { return k.state == invalid || k.state == ended || k.leave })
		state, leave := k.state, k.leave
		c.mu.Unlock()
		switch {
		case err != nil:
			return true, err
		case state == ended:
			<-k.over
			return true, k.err
		case leave: // op 7: with a code that keeps the session
			k.goodbye(gateway.CloseUnknown)
			<-k.over
			return true, nil
		}
		// Op 9. The connection stays; libraries wait a little.
		if err := c.pause(ctx, 5*time.Second); err != nil {
			return false, err
		}
	}
}

// signIn sends Resume, or Identify when there is no session.
func (c *Client) signIn(ctx context.Context, k *call) error {
	if c.Session() != "" {
		return c.Resume(ctx)
	}
	c.mu.Lock()
	o := c.o
	k.state = signing
	c.mu.Unlock()
	return k.identify(o)
}
