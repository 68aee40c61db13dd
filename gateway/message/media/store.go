package media

import (
	"context"
	"io"
	"mime"
	"strings"
)

// Store keeps objects by their hash. An implementation is safe for concurrent use, also by several
// processes that share it; mediatest.Run proves one of your own.
//
// Each method returns an error that wraps ctx.Err() when ctx has ended.
type Store interface {
	// Put keeps what r gives, up to its end, and returns the object: the hash and the number of
	// the bytes, and typ. It is read once, in pieces, and not kept in memory. When it has
	// returned, the object is there for every later call, and is still when the process, or
	// the server behind it, is killed; before, there is nothing of it to be opened.
	//
	// Bytes that are there already stay as they are: the object that was kept first is
	// returned, with its type. Of several who put the same bytes at a time, one is the first.
	//
	// After an error nothing is kept. It wraps that of r, if r ended with one; it is
	// ErrTooLarge when r gives more bytes than the store takes, which need not be read to
	// their end, and ErrType when typ is not as CheckType wants it. A Read that waits is not
	// interrupted by ctx: that is for who gave r.
	Put(ctx context.Context, r io.Reader, typ string) (Object, error)

	// Open returns an object, and a reader at the start of its bytes that the caller closes; or
	// ErrNotFound. Each reader has its own place. ctx is for Open, not for the reader, which
	// reads on, or fails, when the object is deleted meanwhile.
	Open(ctx context.Context, h Hash) (io.ReadSeekCloser, Object, error)

	// Delete forgets an object, for all who put it. One that is not there is no error; it may be
	// put again, then as another type too.
	Delete(ctx context.Context, h Hash) error
}

// Object is what a Store has: bytes that do not change.
type Object struct {
	Hash Hash   `json:"hash"`
	Size int64  `json:"size"` // bytes
	Type string `json:"type"` // a media type, with its parameters: text/plain; charset=utf-8
}

// maxType is the most bytes of a type: file systems and servers have limits for a name.
const maxType = 100

// CheckType returns ErrType for what cannot be the value of a Content-Type: stores call it first.
func CheckType(typ string) error {
	essence, _, err := mime.ParseMediaType(typ)
	if err != nil || len(typ) > maxType || strings.Count(essence, "/") != 1 {
		return ErrType
	}
	for _, c := range []byte(typ) {
		if c < ' ' || c > '~' {
			return ErrType
		}
	}
	return nil
}

// essence is a type without its parameters.
func essence(typ string) string {
	typ, _, _ = mime.ParseMediaType(typ)
	return typ
}
