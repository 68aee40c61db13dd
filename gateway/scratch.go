package gateway

import "sync"

// scratch is memory that a writer builds its bytes in, reused from write to
// write, with what is in it: control frames, then frames with data.
type scratch struct {
	buf     []byte
	large   []largeTail // what goes between its bytes, in order
	outside int         // bytes of those
	gathers bool        // large tails need not be copied

	control int      // bytes of the control lane
	session *Session // whose the frames are
	frames  []dataFrame
	more    bool // did not fit: there is more to be written

	packed, message []byte   // of compress
	pieces          [][]byte // of parts
}

// largeTail is a shared tail that is written from where it is: copying it would
// cost more than telling the kernel of one piece more.
type largeTail struct {
	at   int // where in the scratch's buf
	tail []byte
}

// largeTailBytes is from where on. Of 8 KB a copy costs about what two more
// pieces do; of 16 KB it was a tenth of a delivery.
const largeTailBytes = 8 << 10

// dataFrame is a frame behind the control lane's.
type dataFrame struct {
	end  int    // in what is written
	seq  uint64 // of a dispatch
	kind frameKind
}

type frameKind uint8

const (
	frameDispatch frameKind = iota
	frameResumed            // the answer to a resume
	frameAsk                // asks for a heartbeat
)

// maxScratch is what a writer keeps of a buffer that grew for a large event.
const maxScratch = 256 << 10

func (sc *scratch) reset() {
	for _, b := range []*[]byte{&sc.buf, &sc.packed, &sc.message} {
		if cap(*b) > maxScratch {
			*b = nil
		}
	}
	sc.buf, sc.frames = sc.buf[:0], sc.frames[:0]
	clear(sc.large)
	clear(sc.pieces)
	sc.large, sc.outside, sc.gathers = sc.large[:0], 0, false
	sc.control, sc.session, sc.more = 0, nil, false
}

// size is how many bytes there are to be written.
func (sc *scratch) size() int { return len(sc.buf) + sc.outside }

// addTail puts a shared tail behind its head.
func (sc *scratch) addTail(tail []byte) {
	if sc.gathers && len(tail) >= largeTailBytes {
		sc.large = append(sc.large, largeTail{len(sc.buf), tail})
		sc.outside += len(tail)
		return
	}
	sc.buf = append(sc.buf, tail...)
}

// parts is what is to be written, in pieces.
func (sc *scratch) parts() [][]byte {
	sc.pieces = sc.pieces[:0]
	from := 0
	for _, l := range sc.large {
		sc.pieces = append(sc.pieces, sc.buf[from:l.at], l.tail)
		from = l.at
	}
	sc.pieces = append(sc.pieces, sc.buf[from:])
	return sc.pieces
}

// cut returns some of what is to be written, in one piece.
func (sc *scratch) cut(from, to int) []byte {
	if len(sc.large) == 0 {
		return sc.buf[from:to]
	}
	out := make([]byte, 0, to-from)
	for _, part := range sc.parts() {
		if from < len(part) && to > 0 {
			out = append(out, part[max(from, 0):min(to, len(part))]...)
		}
		from, to = from-len(part), to-len(part)
	}
	return out
}

func (sc *scratch) add(kind frameKind, seq uint64) {
	sc.frames = append(sc.frames, dataFrame{sc.size(), seq, kind})
}

var scratches = sync.Pool{New: func() any { return new(scratch) }}
