package pool

import (
	"errors"
	"fmt"
)

// ErrFull is returned by Add when the pool holds Options.Max entries.
var ErrFull = errors.New("pool: full")

// ErrDuplicate is returned by Add when the key is in the pool.
var ErrDuplicate = errors.New("pool: duplicate key")

// ErrUnknown is returned by Attach when the key is not in the pool.
var ErrUnknown = errors.New("pool: unknown key")

// ErrLimit is what every *LimitError wraps.
var ErrLimit = errors.New("pool: limit reached")

// LimitError is returned by Add and Attach when as many entries bear a label as Options.Limits allows for its kind.
type LimitError struct {
	Label Label
	Limit int
}

// Error names the label and the limit.
func (e *LimitError) Error() string {
	return fmt.Sprintf("%v: %d with %s %q", ErrLimit, e.Limit, e.Label.Kind, e.Label.Value)
}

// Unwrap makes errors.Is(err, ErrLimit) true.
func (e *LimitError) Unwrap() error { return ErrLimit }
