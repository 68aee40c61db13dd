package codec

import (
	"errors"
	"fmt"
)

// Why something was refused. Each arrives inside an [*Error], but for ErrDictionary, which is about no
// message; test for it with errors.Is.
var (
	ErrSyntax     = errors.New("codec: malformed")             // not of the format's grammar; the reserved byte 0xc1
	ErrTruncated  = errors.New("codec: ends too early")        // also a declared length beyond the end
	ErrTrailing   = errors.New("codec: bytes after the value") // a message is exactly one value
	ErrUTF8       = errors.New("codec: string is not valid UTF-8")
	ErrKey        = errors.New("codec: map key is not a string")
	ErrExtension  = errors.New("codec: extension type not accepted") // also a malformed timestamp, a block inside a block
	ErrBlock      = errors.New("codec: corrupt LZ4 block")
	ErrDepth      = errors.New("codec: nested too deep")                           // Limits.Depth
	ErrElements   = errors.New("codec: too many elements")                         // Limits.Elements
	ErrString     = errors.New("codec: string too long")                           // Limits.String
	ErrTooLarge   = errors.New("codec: output too large")                          // Limits.Output
	ErrNumber     = errors.New("codec: number has no form in the other format")    // NaN, an infinity, or beyond float64 (in JSON: 1e999)
	ErrValue      = errors.New("codec: value does not fit")                        // the bytes and the Go type disagree
	ErrNull       = errors.New("codec: a merge patch cannot set a member to null") // Diff; send the whole value instead
	ErrDictionary = errors.New("codec: not a dictionary")                          // NewDictionary, TrainDictionary: empty, too long, badly named, nothing to learn
)

// Error is a refusal: where, in which format, and why.
type Error struct {
	Format string // "json", "msgpack", "lz4", "zlib-stream" or "merge-patch"
	Offset int    // in bytes from the start of the input; -1 when unknown. Inside an LZ4 block: where the block begins
	Err    error  // wraps one of the sentinels, and for ErrValue the library's own error
}

// Error says why, then where.
func (e *Error) Error() string {
	if e.Offset < 0 {
		return fmt.Sprintf("%v (%s)", e.Err, e.Format)
	}
	return fmt.Sprintf("%v (%s, byte %d)", e.Err, e.Format, e.Offset)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// misfit is the refusal of a value that the bytes and the Go type disagree on.
func misfit(format string, cause error) error {
	return &Error{Format: format, Offset: -1, Err: fmt.Errorf("%w: %w", ErrValue, cause)}
}
