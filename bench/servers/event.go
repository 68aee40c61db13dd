package servers

import (
	"fmt"
	"time"
)

// event is JSON of size bytes, or a few more if that is very little, with the time
// at which it was due.
func event(due time.Time, size int) []byte {
	b := fmt.Appendf(make([]byte, 0, size), `{"at":%019d,"x":"`, due.UnixNano())
	for len(b) < size-2 {
		b = append(b, 'x')
	}
	return append(b, '"', '}')
}
