package nats

import (
	"context"
	"testing"
)

// Who does not wait for the answer touches nothing of it.
func TestSharedLeft(t *testing.T) {
	l := newLife()
	s := shared[int]{run: l.run, ask: func() (int, error) { return 1, nil }}
	left, cancel := context.WithCancel(t.Context())
	cancel()
	for range 1000 {
		if n, err := s.get(left); err == nil && n != 1 {
			t.Fatalf("%d without an error", n)
		}
	}
	if err := l.end(); err != nil {
		t.Fatal(err)
	}
}
