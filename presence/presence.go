package presence

import (
	"encoding/json"
	"time"
)

// Device is one signed-in client of a user, as it describes itself.
type Device struct {
	User     string
	Session  string // tells the user's devices apart
	Platform string // "desktop", "mobile", "web", …; "" is "web"
	Status   Status // "" is Online

	// Activities is a JSON array as the client sent it; nil means none. The
	// tracker keeps it: do not change it afterwards.
	Activities json.RawMessage
}

// Presence is a person as others see them: all devices as one.
type Presence struct {
	User string

	// Status is never Invisible, except from [Tracker.Self].
	Status Status

	// ClientStatus is the status per platform; nil when offline.
	ClientStatus map[string]Status

	// Activities are those of the device that changed last and has some; nil if none has.
	Activities json.RawMessage

	// LastSeen is when the last device left; zero while one is there, and for
	// who was not here since the tracker began.
	LastSeen time.Time

	// Version grows with every change of the person. Of two presences, the
	// higher one is newer, on whichever node it was seen.
	Version uint64
}

// Change is what became different in how a person is seen.
type Change struct {
	Presence // as it is now

	// Delta is a merge patch (RFC 7386) from the presence that was told before
	// to this one, over the fields status, client_status and activities: only
	// what changed, null for a platform that is gone.
	Delta map[string]any
}
