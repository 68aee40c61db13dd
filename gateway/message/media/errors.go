package media

import "errors"

var (
	// ErrNotFound is returned for an object that is not there.
	ErrNotFound = errors.New("media: no such object")
	// ErrTooLarge is returned for more bytes than are taken.
	ErrTooLarge = errors.New("media: too large")
	// ErrType is returned for what is not a media type, such as image/png.
	ErrType = errors.New("media: not a media type")
	// ErrHash is returned for what is not a hash.
	ErrHash = errors.New("media: not a hash")
)
