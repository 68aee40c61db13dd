package gatewaytest

import (
	"context"
	"fmt"
	"testing"
)

// check is a case of a kit, for one sentence of a contract: it returns what it
// saw if the sentence is broken.
type check[T any] struct {
	name, rule string
	run        func(ctx context.Context, subject T) error
}

// runKit runs every case on something that open has just made.
func runKit[T any](t *testing.T, what string, cases []check[T], open func(t *testing.T) T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("the %s breaks its contract:\n  %s\n%v", what, c.rule, err)
			}
		})
	}
}

func expect(what string, got, want any) error {
	if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
		return fmt.Errorf("%s: got %s, want %s", what, g, w)
	}
	return nil
}
