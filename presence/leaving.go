package presence

import "time"

// leaves notes since when a device of this node has no connection, and has it looked at when that is to be said, or
// when its grace period is over. mu is held.
func (t *Tracker) leaves(d *device, at time.Duration) {
	d.left = at
	if d.timed {
		return // it will be seen then
	}
	d.timed = true
	wait := t.opts.Grace
	if d.Left.IsZero() {
		wait = min(wait, t.opts.Blip)
	}
	t.leaving.add(deadline{key: sessionKey{d.User, d.Session}, at: at + wait})
}

// expire has it put that devices have left, or are gone, when it is time, and forgets old graves.
func (t *Tracker) expire() {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := t.clock()
	for x, ok := t.graves.due(now); ok; x, ok = t.graves.due(now) {
		if p := t.people[x.key.user]; p != nil && p.gone[x.key.session] == x.version {
			delete(p.gone, x.key.session)
			t.tidy(x.key.user, p)
		}
	}
	for x, ok := t.leaving.due(now); ok; x, ok = t.leaving.due(now) {
		d := t.people[x.key.user].device(x.key.session)
		if d == nil {
			continue
		}
		d.timed = false
		switch {
		case d.here || d.left == 0 || d.Node != t.opts.Node: // it came back, here or elsewhere
		case now >= d.left+t.opts.Grace:
			t.unsaid[x.key] = t.end(d)
		case d.Left.IsZero() && now >= d.left+t.opts.Blip:
			t.unsaid[x.key] = t.lost(d) // believing it has it looked at again
		default:
			t.leaves(d, d.left)
		}
	}
}
