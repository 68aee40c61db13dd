package sqlite

import "errors"

// What a method returns for a message that is not there, a query that makes no sense, and a store
// that is closed is package message's.
var (
	// ErrTooNew is returned by Open for a file that a newer version has written.
	ErrTooNew = errors.New("the file was written by a newer version")
	// ErrDamaged is returned, by Open or by the method that meets it, when the file
	// is not whole.
	ErrDamaged = errors.New("the file is damaged")
	// ErrForeign is returned by Open for a database of another application.
	ErrForeign = errors.New("the file is another application's database")
)
