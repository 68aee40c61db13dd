package messages

import (
	"errors"
	"fmt"
	"slices"
	"testing"
)

// host is a command in place of the test that package servers is made for. What would
// end the test ends try.
type host struct {
	testing.TB // nil: no other method is used
	cleanups   []func()
	failed     []error
}

// stopped is what try returns, on its way there.
type stopped struct{ err error }

// try returns the error of whatever ends do.
func (h *host) try(do func()) (err error) {
	defer func() {
		switch v := recover().(type) {
		case nil:
		case stopped:
			err = v.err
		default:
			panic(v)
		}
	}()
	do()
	return nil
}

// end does what was to be done when the test is over.
func (h *host) end() error {
	for _, cleanup := range slices.Backward(h.cleanups) {
		if err := h.try(cleanup); err != nil {
			h.failed = append(h.failed, err)
		}
	}
	h.cleanups = nil
	return errors.Join(h.failed...)
}

func (h *host) Helper()             {}
func (h *host) Cleanup(do func())   { h.cleanups = append(h.cleanups, do) }
func (h *host) Failed() bool        { return len(h.failed) > 0 }
func (h *host) Logf(string, ...any) {}
func (h *host) Errorf(format string, args ...any) {
	h.failed = append(h.failed, fmt.Errorf(format, args...))
}
func (h *host) Fatal(args ...any)                 { panic(stopped{errors.New(fmt.Sprint(args...))}) }
func (h *host) Fatalf(format string, args ...any) { panic(stopped{fmt.Errorf(format, args...)}) }
func (h *host) Skip(args ...any) {
	panic(stopped{fmt.Errorf("%w: %s", ErrMissing, fmt.Sprint(args...))})
}
func (h *host) Skipf(format string, args ...any) { h.Skip(fmt.Sprintf(format, args...)) }
