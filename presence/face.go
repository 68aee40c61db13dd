package presence

import (
	"bytes"
	"encoding/json"
)

// face is how a person looks to others: what of a Presence is compared and told. There is one for everybody who was
// ever told of, so it has no map. The zero value is offline.
type face struct {
	status     Status
	platforms  []platform
	activities json.RawMessage
}

type platform struct {
	name   string
	status Status
}

func faceOf(p Presence) face {
	f := face{status: p.Status, activities: p.Activities}
	if len(p.ClientStatus) > 0 {
		f.platforms = make([]platform, 0, len(p.ClientStatus))
	}
	for name, s := range p.ClientStatus {
		f.platforms = append(f.platforms, platform{name, s})
	}
	return f
}

// is reports whether a presence looks like this.
func (f face) is(p Presence) bool {
	if f.looks() != p.Status || len(f.platforms) != len(p.ClientStatus) || !bytes.Equal(f.activities, p.Activities) {
		return false
	}
	for _, pl := range f.platforms {
		if p.ClientStatus[pl.name] != pl.status {
			return false
		}
	}
	return true
}

// delta makes the patch from this to a presence.
func (f face) delta(now Presence) map[string]any {
	patch := map[string]any{}
	if f.looks() != now.Status {
		patch["status"] = now.Status
	}
	if !bytes.Equal(f.activities, now.Activities) {
		patch["activities"] = orEmpty(now.Activities)
	}
	platforms := map[string]any{}
	for name, s := range now.ClientStatus {
		platforms[name] = s
	}
	for _, pl := range f.platforms {
		switch s, still := now.ClientStatus[pl.name]; {
		case !still:
			platforms[pl.name] = nil
		case s == pl.status:
			delete(platforms, pl.name)
		}
	}
	if len(platforms) > 0 {
		patch["client_status"] = platforms
	}
	return patch
}

func (f face) looks() Status {
	if f.status == "" {
		return Offline
	}
	return f.status
}

func orEmpty(activities json.RawMessage) json.RawMessage {
	if activities == nil {
		return json.RawMessage("[]")
	}
	return activities
}
