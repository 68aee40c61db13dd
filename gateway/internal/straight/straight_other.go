//go:build !unix

package straight

// Supported says that there is such a thing here: every read and write blocks.
const Supported = false

// Read is not supported.
func Read(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }

// CloseWrite is not supported.
func CloseWrite(uintptr) error { return nil }

// Write is not supported.
func Write(uintptr, []byte) (int, error) { return 0, ErrWouldBlock }
