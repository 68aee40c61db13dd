package batch

import (
	"errors"
	"fmt"
)

// ErrFull is returned by TryAdd when Options.MaxPending items are held.
var ErrFull = errors.New("batch: queue full")

// ErrClosed is returned by Add and TryAdd after Close was called. It also wraps the error that OnError gets with
// items for which Close had no time left.
var ErrClosed = errors.New("batch: closed")

// errExited stands for a flush that never returned.
var errExited = errors.New("batch: flush ended its goroutine")

// PanicError is the failure of a flush that panicked. The batch is retried as after any other error.
type PanicError struct {
	Value any    // what panic was called with
	Stack []byte // where, as debug.Stack prints it
}

// Error gives the value, not the stack.
func (e *PanicError) Error() string { return fmt.Sprintf("batch: flush panicked: %v", e.Value) }

// Unwrap gives the value if it is an error, so that errors.Is sees through a panic(err).
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
