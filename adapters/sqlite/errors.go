package sqlite

import "errors"

var (
	// ErrNotFound is returned for a message that is not there.
	ErrNotFound = errors.New("sqlite: no such message")
	// ErrExists is returned by Append for an id that is taken.
	ErrExists = errors.New("sqlite: message exists")
	// ErrTooNew is returned by Open for a file that a newer version has written.
	ErrTooNew = errors.New("the file was written by a newer version")
	// ErrDamaged is returned, by Open or by the method that meets it, when the file
	// is not whole.
	ErrDamaged = errors.New("the file is damaged")
	// ErrForeign is returned by Open for a database of another application.
	ErrForeign = errors.New("the file is another application's database")
)
