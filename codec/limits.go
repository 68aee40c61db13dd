package codec

import (
	"cmp"
	"math"
)

// Limits bounds what a message from a stranger may make this process do. The zero value means the
// defaults; a negative field is off, except Depth.
type Limits struct {
	// Depth is how many arrays and objects may stand inside one another; 64 by default. A negative
	// value, and any above it, means 10,000, where encoding/json stops too: decoders recurse, and a
	// stack overflow ends the process whatever recovers.
	Depth int

	// Elements is how many array elements and object members a message may have, all levels
	// together; 65,536 by default. An element of one byte can cost the decoder some 64 bytes.
	Elements int

	// String is how many bytes one string, key, byte string or JSON number may have as it stands in
	// the message, escapes not resolved; 1 MiB by default.
	String int

	// Output is how many bytes the LZ4 blocks of one message may hold uncompressed, all together,
	// and how many bytes transcoding may append; 4 MiB by default. Nothing is allocated for a block
	// that declares more, or more than 255 times its compressed size, which LZ4 cannot reach.
	Output int
}

// deepest is the depth at which encoding/json gives up (maxNestingDepth in its scanner.go).
const deepest = 10_000

// unlimited is for the application's own bytes, which need only be well formed.
var unlimited = Limits{Depth: -1, Elements: -1, String: -1, Output: -1}

// effective returns l with its defaults filled in and "off" made a number no message reaches.
func (l Limits) effective() Limits {
	fill := func(v, def, off int) int {
		if v = cmp.Or(v, def); v < 0 {
			return off
		}
		return v
	}
	return Limits{
		Depth:    min(fill(l.Depth, 64, deepest), deepest),
		Elements: fill(l.Elements, 1<<16, math.MaxInt),
		String:   fill(l.String, 1<<20, math.MaxInt),
		Output:   fill(l.Output, 4<<20, math.MaxInt),
	}
}
