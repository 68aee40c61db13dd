package messagetest

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// fake is something that breaks a sentence of a contract, and the case that has to notice.
type fake[T any] struct {
	caught, what string
	open         func() T
}

// proveKit runs each fake through the case that should catch it, and reports cases that catch
// none.
func proveKit[T any](t *testing.T, cases []check[T], fakes []fake[T]) {
	byName := make(map[string]check[T])
	for _, c := range cases {
		byName[c.name] = c
	}
	caught := make(map[string]bool)
	for _, f := range fakes {
		t.Run(f.caught+"/"+f.what, func(t *testing.T) {
			c, there := byName[f.caught]
			if !there {
				t.Fatal("there is no such case")
			}
			caught[c.name] = true
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				err := c.run(ctx, f.open())
				if err == nil {
					t.Error("it passed")
				}
				t.Log(err)
			})
		})
	}
	for _, c := range cases {
		if !caught[c.name] {
			t.Errorf("nothing shows that case %s can fail", c.name)
		}
	}
}

// busy is something that cannot be used by two at a time, and says so.
type busy struct{ free chan struct{} }

var errBusy = errors.New("it is locked")

func newBusy() busy {
	b := busy{make(chan struct{}, 1)}
	b.free <- struct{}{}
	return b
}

func (b busy) use(do func() error) error {
	select {
	case <-b.free:
	default:
		return errBusy
	}
	rest(context.Background(), time.Millisecond)
	defer func() { b.free <- struct{}{} }()
	return do()
}
