package presence

import (
	"slices"
	"time"
)

// person is what a tracker knows of one user. It is pure: entries come in,
// presences come out; the time is an argument.
type person struct {
	devices []device          // one per session, none of them gone: a map of one entry weighs as much as two
	gone    map[string]uint64 // sessions that are gone, by the version that said so
	topics  []string          // each once

	version  uint64 // of the newest entry
	public   uint64 // of the newest one that others may know of
	lastSeen time.Time
	told     face // what others were told last
}

// device is what a tracker knows of one session.
type device struct {
	Entry               // as the store has it
	here  bool          // it is connected on this node
	timed bool          // a deadline will look at it
	left  time.Duration // when it lost its connection, by the tracker's own clock; 0: it has it
}

// apply takes an entry of one of the person's sessions, and reports whether it
// is news: of two entries for one session, the higher version wins, and of two that
// nodes have made at the same instant the one that the store has kept.
func (p *person) apply(e Entry, kept bool) bool {
	if old := p.device(e.Session); old != nil {
		tie := kept && old.Version == e.Version && (old.Node != e.Node || e.Gone)
		if old.Version >= e.Version && !tie {
			return false
		}
	}
	if gone, ok := p.gone[e.Session]; ok {
		tie := kept && gone == e.Version && !e.Gone
		if gone >= e.Version && !tie {
			return false
		}
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

// device finds the session's, or nil if it is gone. It stays valid until the next apply.
func (p *person) device(session string) *device {
	if p == nil {
		return nil
	}
	for i := range p.devices {
		if d := &p.devices[i]; d.Session == session {
			return d
		}
	}
	return nil
}

// keep has the entry be what is known of its session.
func (p *person) keep(e Entry) {
	old := p.device(e.Session)
	switch {
	case e.Gone:
		if p.gone == nil {
			p.gone = make(map[string]uint64)
		}
		p.gone[e.Session] = e.Version
		p.devices = slices.DeleteFunc(p.devices, func(d device) bool { return d.Session == e.Session })
		if len(p.devices) == 0 {
			p.devices = nil // an absent person weighs little
		}
		return
	case old != nil:
		old.Entry = e
	default:
		p.devices = append(p.devices, device{Entry: e})
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
	now := p.seen(user)
	if p.told.is(now) {
		return Change{}, false
	}
	c := Change{Presence: now, Delta: p.told.delta(now)}
	p.told = faceOf(now)
	return c, true
}

// room reports whether a device of this session may be there: at most limit
// that are connected, and as many again in their grace period.
func (p *person) room(session string, limit int) bool {
	if limit < 0 || p.device(session) != nil {
		return true
	}
	connected := 0
	for _, d := range p.devices {
		if d.left == 0 {
			connected++
		}
	}
	return connected < limit && len(p.devices) < 2*limit
}

// empty reports whether nothing is left to know.
func (p *person) empty() bool { return len(p.devices) == 0 && len(p.gone) == 0 && len(p.topics) == 0 }
