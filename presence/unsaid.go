package presence

import (
	"context"
	"time"
)

// mostAtOnce is how many entries the goroutine puts in one call, one call in a window. After an error it begins
// with one again: so a store that comes back is not run over, and an entry that it does not take holds up no other
// for long.
const mostAtOnce = 1000

// fly notes what a call is about to put: nothing older counts any more. mu is held.
func (t *Tracker) fly(key sessionKey, e Entry) {
	delete(t.unsaid, key)
	t.flying[key] = e
}

// put has the store take what flies, and believes it.
func (t *Tracker) put(ctx context.Context, key sessionKey, e Entry) error {
	err := t.opts.Store.Put(ctx, e)
	t.mu.Lock()
	defer t.mu.Unlock()
	last := t.flying[key].Version == e.Version
	if last {
		delete(t.flying, key)
	}
	switch {
	case err == nil:
		t.take(key, e, last)
	case last:
		t.unsaid[key] = e
	}
	return err
}

// take takes in what the store has taken. last says that no call has been made for it since. mu is held.
func (t *Tracker) take(key sessionKey, e Entry, last bool) {
	if last && !e.Gone && e.Left.IsZero() && e.Node == t.opts.Node {
		t.hold(key, e)
	} else {
		t.believe(e, true)
	}
}

// flush puts some of what is unsaid.
func (t *Tracker) flush(ctx context.Context) error {
	t.mu.Lock()
	var some []Entry
	for _, e := range t.unsaid {
		if some = append(some, e); len(some) == t.atOnce {
			break
		}
	}
	t.mu.Unlock()
	if len(some) == 0 {
		return nil
	}
	if err := t.opts.Store.Put(ctx, some...); err != nil {
		t.atOnce = 1
		return err
	}
	t.atOnce = min(2*t.atOnce, mostAtOnce)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range some {
		key := sessionKey{e.User, e.Session}
		now, ok := t.unsaid[key]
		last := ok && now.Version == e.Version // else a call was made meanwhile
		if last {
			delete(t.unsaid, key)
		}
		t.take(key, e, last)
	}
	if len(t.unsaid) == 0 && len(some) == mostAtOnce { // a map keeps the room that it once needed
		t.unsaid = make(map[sessionKey]Entry)
	}
	return nil
}

// restate has everything put anew that is connected here: the store does not know this node any more. When all other
// nodes have had the time to do so too, what it has lost of those that cannot is put back.
func (t *Tracker) restate(now time.Time) {
	t.refill = now.Add(t.opts.Lease)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.people {
		for i := range p.devices {
			d := &p.devices[i]
			switch {
			case d.here:
				t.again(d)
			case d.Node == t.opts.Node:
				e := t.lost(d)
				if e.Left.IsZero() {
					e.Left = e.At
				}
				t.unsaid[sessionKey{d.User, d.Session}] = e
			}
		}
	}
}

// putBack has entries of other nodes put as they were that the store has lost. If a node lives it has said its
// own again, and so all that is put is of dead ones: in the store somebody sweeps it.
func (t *Tracker) putBack(ctx context.Context, now time.Time) error {
	if t.refill.IsZero() || now.Before(t.refill) {
		return nil
	}
	has, _, err := t.opts.Store.Since(ctx, 0)
	if err != nil {
		return err
	}
	t.refill = time.Time{}
	keys := make(map[sessionKey]bool, len(has))
	for _, e := range has {
		keys[sessionKey{e.User, e.Session}] = true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	for user, p := range t.people {
		for _, d := range p.devices {
			key := sessionKey{user, d.Session}
			if _, unsaid := t.unsaid[key]; !unsaid && !keys[key] {
				t.unsaid[key] = d.Entry
			}
		}
	}
	return nil
}
