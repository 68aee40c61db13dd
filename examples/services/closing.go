package main

import (
	"context"
	"errors"
	"slices"
)

// closing closes what was opened, the last one first.
type closing []func(context.Context) error

func (c *closing) add(close func() error) {
	c.addWithin(func(context.Context) error { return close() })
}

func (c *closing) addWithin(close func(context.Context) error) { *c = append(*c, close) }

func (c *closing) close(ctx context.Context) (err error) {
	for _, close := range slices.Backward(*c) {
		err = errors.Join(err, close(ctx))
	}
	return err
}

// unless closes all if err is not nil.
func (c *closing) unless(err error) {
	if err != nil {
		ctx, cancel := context.WithTimeout(context.Background(), closeWithin)
		defer cancel()
		c.close(ctx)
	}
}
