package gateway

// Event is what an application publishes to a topic or sends to one session.
// It becomes a Discord dispatch: Type is the dispatch's "t", Data its "d".
type Event struct {
	// Type names the event, for instance "MESSAGE_CREATE": 1 to 100 printable
	// ASCII characters, without quote or backslash.
	Type string

	// Data is encoded once, in the caller's goroutine, before Publish or Send
	// returns; no reference to it is kept. The canonical form is what
	// encoding/json makes of it. A codec.Raw is taken as it is.
	Data any

	// ID, if set, names the event in its topic: published again under it, as by who
	// cannot know whether Publish that failed has published it, it is there once. A
	// broker knows the IDs of its newest records only, see its documentation; behind
	// that, an event that is published again is another one. Session.Send ignores it.
	ID string

	// Intent is what a session must have asked for in Identify to see the
	// event: any one of its bits. Zero reaches every subscriber.
	Intent Intent

	// Class says what becomes of the event when a session does not keep up.
	Class Class

	// Key is the conflation key of a Conflate event: a newer event of the same
	// topic and key replaces an older one that has not been sent yet.
	Key string
}

// Class says what becomes of an event on its way to a session that reads more
// slowly than it is sent.
type Class uint8

const (
	// Keep is never dropped: it waits, and a session with too many waiting is
	// closed as a slow consumer (4100), resumable. It is the default.
	Keep Class = iota
	// Conflate is replaced, in its place, by a newer unsent event of the same
	// topic and key. Order is promised only against that key.
	Conflate
	// Volatile is the first to go: it is not queued for a session that is
	// detached, replaying or already a quarter of its bound behind.
	Volatile
)

func (c Class) String() string {
	switch c {
	case Keep:
		return "keep"
	case Conflate:
		return "conflate"
	case Volatile:
		return "volatile"
	}
	return "unknown"
}
