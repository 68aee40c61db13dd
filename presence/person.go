package presence

import (
	"encoding/json"
	"slices"
	"time"
)

// person is what a tracker knows of one user. It is pure: entries come in,
// presences come out; the time is an argument.
type person struct {
	devices []Entry           // one per session, few; none of them gone
	gone    map[string]uint64 // sessions that are gone, by the version that said so
	topics  map[string]struct{}

	version  uint64 // of the newest entry
	public   uint64 // of the newest one that others may know of
	lastSeen time.Time
	told     toldAs
}

// toldAs is how others were told last that a person is. There is one for
// everybody who is online, so it is kept in less than a Presence.
type toldAs struct {
	status     Status // empty: nothing was told, which is Offline
	clients    []client
	activities json.RawMessage
}

type client struct {
	platform string
	status   Status
}

func (t *toldAs) keep(p Presence) {
	*t = toldAs{status: p.Status, activities: p.Activities}
	if len(p.ClientStatus) > 0 {
		t.clients = make([]client, 0, len(p.ClientStatus))
	}
	for platform, status := range p.ClientStatus {
		t.clients = append(t.clients, client{platform, status})
	}
}

// presence is what was told, as far as changes are looked for.
func (t *toldAs) presence() Presence {
	p := Presence{Status: t.status, Activities: t.activities}
	if p.Status == "" {
		p.Status = Offline
	}
	if len(t.clients) > 0 {
		p.ClientStatus = make(map[string]Status, len(t.clients))
	}
	for _, c := range t.clients {
		p.ClientStatus[c.platform] = c.status
	}
	return p
}

// device returns the index of a session in devices, or -1.
func (p *person) device(session string) int {
	return slices.IndexFunc(p.devices, func(e Entry) bool { return e.Session == session })
}

// versionOf returns the version of a device; 0 if it is not there.
func (p *person) versionOf(session string) uint64 {
	if i := p.device(session); i >= 0 {
		return p.devices[i].Version
	}
	return 0
}

// apply takes an entry of one of the person's sessions, and reports whether it
// was newer: of two entries for one session, the higher version wins.
func (p *person) apply(e Entry) bool {
	if i := p.device(e.Session); i >= 0 && p.devices[i].Version >= e.Version || p.gone[e.Session] >= e.Version {
		return false
	}
	before := p.visible()
	p.version = max(p.version, e.Version)
	p.keep(e)
	after := p.visible()
	if before || after {
		p.public = p.version
	}
	if before && !after {
		p.lastSeen = e.At
		if !e.Left.IsZero() {
			p.lastSeen = e.Left
		}
	}
	return true
}

// keep has the entry be what is known of its session.
func (p *person) keep(e Entry) {
	if e.Gone {
		if p.gone == nil {
			p.gone = make(map[string]uint64)
		}
		p.gone[e.Session] = e.Version
		p.devices = slices.DeleteFunc(p.devices, func(d Entry) bool { return d.Session == e.Session })
		return
	}
	if i := p.device(e.Session); i >= 0 {
		p.devices[i] = e
	} else {
		p.devices = append(p.devices, e)
	}
	delete(p.gone, e.Session)
}

func (p *person) status() Status {
	s := Offline
	for _, e := range p.devices {
		s = merge(s, e.Status)
	}
	return s
}

// visible reports whether others see the person as here.
func (p *person) visible() bool {
	s := p.status()
	return s != Offline && s != Invisible
}

// self is the person as they see themselves.
func (p *person) self(user string) Presence {
	s := Presence{User: user, Status: p.status(), Version: p.version}
	if len(p.devices) == 0 {
		s.LastSeen = p.lastSeen
		return s
	}
	s.ClientStatus = make(map[string]Status, len(p.devices))
	var newest uint64
	for _, e := range p.devices {
		s.ClientStatus[e.Platform] = merge(s.ClientStatus[e.Platform], e.Status)
		if len(e.Activities) > len("[]") && e.Version >= newest {
			s.Activities, newest = e.Activities, e.Version
		}
	}
	return s
}

// seen is the person as others see them. Who is invisible is offline in every
// field, and nothing they do tells that they are there.
func (p *person) seen(user string) Presence {
	if !p.visible() {
		return Presence{User: user, Status: Offline, LastSeen: p.lastSeen, Version: p.public}
	}
	s := p.self(user)
	s.Version = p.public
	return s
}

// settle returns how others see the person now, and what changed since they
// were told last. Nothing changed if it ended where it began.
func (p *person) settle(user string) (Change, bool) {
	now, before := p.seen(user), p.told.presence()
	if now.same(before) {
		return Change{}, false
	}
	p.told.keep(now)
	return Change{Presence: now, Delta: delta(before, now)}, true
}

// room reports whether a device of this session may be there: at most limit
// that are connected, and as many again in their grace period.
func (p *person) room(session string, limit int) bool {
	if limit < 0 || p.device(session) >= 0 {
		return true
	}
	connected := 0
	for _, e := range p.devices {
		if e.Left.IsZero() {
			connected++
		}
	}
	return connected < limit && len(p.devices) < 2*limit
}

// empty reports whether nothing is left to know.
func (p *person) empty() bool { return len(p.devices) == 0 && len(p.gone) == 0 && len(p.topics) == 0 }
