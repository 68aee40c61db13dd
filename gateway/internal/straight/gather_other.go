//go:build !linux

package straight

// Gathers says that there is Gather here.
const Gathers = false

// Gather is not supported.
func Gather(uintptr, [][]byte) (int, error) { return 0, ErrWouldBlock }
