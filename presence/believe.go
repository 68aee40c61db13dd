package presence

import "time"

// What a tracker believes: the newest entry of each session, whoever has put it, with one exception. What is
// connected here it knows better than anybody. An entry that says otherwise, because a lease was over, a clock is
// ahead or a message late, is answered by saying it again. An entry that has this node answer for a connection
// that it does not have, of a call that failed and was done all the same, has left.

// believe takes in an entry that the store has; here says that this tracker put it, or was handed it. mu is held.
func (t *Tracker) believe(e Entry, here bool) { t.accept(e, here, false) }

// accept is believe; held says that the device is connected here.
func (t *Tracker) accept(e Entry, here, held bool) {
	p := t.people[e.User]
	if p == nil {
		p = new(person)
		t.people[e.User] = p
	}
	defer t.tidy(e.User, p)
	key := sessionKey{e.User, e.Session}
	t.version = max(t.version, e.Version)
	d := p.device(e.Session)
	if d != nil && d.here && e.Version >= d.Version && (e.Gone || !e.Left.IsZero()) {
		t.again(d)
		return
	}
	ours := e.Node == t.opts.Node && !e.Gone
	if !p.apply(e, !here) {
		if grave, gone := p.gone[e.Session]; gone && ours && grave > e.Version { // somebody has not heard of it
			e.Version, e.At = t.next()
			e.Gone = true
			t.unsaid[key] = e
		}
		return
	}
	t.dirty[e.User] = t.dirty[e.User] || here
	if d = p.device(e.Session); d == nil {
		t.graves.add(deadline{key, e.Version, t.clock() + 2*t.opts.Lease})
		return
	}
	if held {
		d.here = true
	}
	if !d.here && !ours {
		delete(t.unsaid, key) // it is another's
	}
	now := t.clock()
	switch {
	case e.Left.IsZero() && (d.here || !ours):
		d.left = 0
		return
	case d.left == 0 && e.Left.IsZero():
		d.left = now
	case d.left == 0: // both times are by one clock
		d.left = now - min(max(0, e.At.Sub(e.Left)), t.opts.Grace, now-1)
	}
	if ours {
		t.leaves(d, d.left)
	}
}

// hold takes in an entry of a device that is connected here, and has been put. mu is held.
func (t *Tracker) hold(key sessionKey, e Entry) {
	t.accept(e, true, true)
	d := t.people[e.User].device(e.Session)
	if d != nil {
		d.here, d.left = true, 0
	}
	if d == nil || d.Version > e.Version { // the store has something newer
		e.Version, e.At = t.next()
		t.unsaid[key] = e
	}
}

// again has it said anew that a device is connected here. mu is held.
func (t *Tracker) again(d *device) {
	key := sessionKey{d.User, d.Session}
	e := d.Entry
	if newer, ok := t.flying[key]; ok {
		e = newer
	}
	e.Node, e.Left = t.opts.Node, time.Time{}
	e.Version, e.At = t.next()
	t.unsaid[key] = e
}

// tidy forgets a person of whom nothing is left to know or to tell. mu is held.
func (t *Tracker) tidy(user string, p *person) {
	if _, dirty := t.dirty[user]; !dirty && p.empty() {
		delete(t.people, user)
	}
}
