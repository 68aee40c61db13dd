package servers

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// eventually waits until a condition holds that nobody announces.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	err := poll(func(context.Context) error {
		if !holds() {
			return errors.New("not yet")
		}
		return nil
	}, nil)
	if err != nil {
		t.Fatalf("%s: %v", what, err)
	}
}

func TestPoll(t *testing.T) {
	notYet := errors.New("not yet")
	t.Run("until it succeeds", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			tries := 0
			err := poll(func(context.Context) error {
				if tries++; tries < 3 {
					return notYet
				}
				return nil
			}, nil)
			if err != nil || tries != 3 {
				t.Errorf("%v after %d tries", err, tries)
			}
		})
	})
	t.Run("until the process ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ended := make(chan struct{})
			time.AfterFunc(time.Second, func() { close(ended) })
			begin := time.Now()
			err := poll(func(context.Context) error { return notYet }, ended)
			if took := time.Since(begin); !errors.Is(err, errEnded) || !errors.Is(err, notYet) || took > 2*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	})
	t.Run("until patience is over", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			begin := time.Now()
			err := poll(func(ctx context.Context) error { <-ctx.Done(); return notYet }, nil)
			if took := time.Since(begin); !errors.Is(err, notYet) || took < patience || took > patience+5*time.Second {
				t.Errorf("%v after %v", err, took)
			}
		})
	})
}

// verdict is a test that notes how it ended.
type verdict struct {
	testing.TB
	text string
}

func (v *verdict) Helper() {}
func (v *verdict) Fatalf(format string, args ...any) {
	v.text = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}
func (v *verdict) Skipf(format string, args ...any) {
	v.text = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func TestMissing(t *testing.T) {
	t.Setenv("GATEHOUSE_SERVERS", "true")
	tests := []struct{ ci, want string }{
		{"", "skipped: no-such-server is not installed: install it"},
		{"true", "failed: servers: no-such-server is not installed: install it"},
	}
	for _, tt := range tests {
		t.Run("CI="+tt.ci, func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			v := &verdict{TB: t}
			done := make(chan struct{})
			go func() {
				defer close(done)
				program(v, "no-such-server", "install it")
			}()
			<-done
			if v.text != tt.want {
				t.Errorf("%q, want %q", v.text, tt.want)
			}
		})
	}
}

func TestFreePort(t *testing.T) {
	seen := map[int]bool{}
	for range 200 {
		port := freePort(t, 1)
		if seen[port] {
			t.Fatalf("port %d is given twice", port)
		}
		seen[port] = true
	}
}
