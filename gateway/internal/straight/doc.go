// Package straight reads and writes descriptors that do not block, by system
// calls of its own: from and to a socket, at once, as much as there is.
package straight

import "errors"

// ErrWouldBlock says that a descriptor has no bytes, or takes no more, for now.
var ErrWouldBlock = errors.New("straight: would block")
