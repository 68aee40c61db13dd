package presence

import (
	"context"
	"time"
)

// run is the tracker's goroutine: every window it renews the lease, reads what
// other nodes changed, ends grace periods and tells what changed.
func (t *Tracker) run(ctx context.Context) {
	defer close(t.done)
	ticker := time.NewTicker(t.opts.Window)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			now := time.Now()
			t.log("renew the lease", t.renew(ctx, now))
			t.log("read changes", t.read(ctx))
			t.log("end grace periods", t.expire(ctx, now))
			t.tell()
		}
	}
}

func (t *Tracker) log(what string, err error) {
	if err != nil {
		t.opts.Logger.Error("presence: the store failed", "to", what, "error", err)
	}
}

// renew keeps this node's lease, and takes over the devices of nodes that have
// lost theirs. Who lost its own says again what it holds: others have been told
// that it is gone.
func (t *Tracker) renew(ctx context.Context, now time.Time) error {
	if t.known && now.Sub(t.renewed) < t.opts.Lease/3 {
		return nil
	}
	if err := t.opts.Store.Renew(ctx, t.opts.Node, now.Add(t.opts.Lease)); err != nil {
		return err
	}
	lost := t.known && now.Sub(t.renewed) > t.opts.Lease
	t.known, t.renewed = true, now
	if lost {
		if err := t.restate(ctx); err != nil {
			return err
		}
	}
	swept, err := t.opts.Store.Sweep(ctx, t.opts.Node, now)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range swept {
		t.believe(e, true)
	}
	return err
}

// restate puts every device that is connected here anew.
func (t *Tracker) restate(ctx context.Context) error {
	t.mu.Lock()
	var mine []Entry
	for _, p := range t.people {
		for _, e := range p.devices {
			if e.Node == t.opts.Node && e.Left.IsZero() {
				e.Version, e.At = t.next(time.Now())
				mine = append(mine, e)
			}
		}
	}
	t.mu.Unlock()
	for _, e := range mine {
		if err := t.put(ctx, e); err != nil {
			return err
		}
	}
	return nil
}

// read believes what other nodes have put.
func (t *Tracker) read(ctx context.Context) error {
	changed, next, err := t.opts.Store.Since(ctx, t.cursor)
	if err != nil {
		return err
	}
	t.cursor = next
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range changed {
		t.believe(e, false)
	}
	return nil
}

// expire ends the grace periods that are over, and forgets old graves.
func (t *Tracker) expire(ctx context.Context, now time.Time) error {
	over := t.overdue(now)
	for i, e := range over {
		if err := t.put(ctx, e); err != nil {
			t.retry(over[i:])
			return err
		}
	}
	return nil
}

func (t *Tracker) overdue(now time.Time) (over []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for d, ok := t.graves.due(now); ok; d, ok = t.graves.due(now) {
		if p := t.people[d.key.user]; p != nil && p.gone[d.key.session] == d.version {
			delete(p.gone, d.key.session)
			t.tidy(d.key.user, p)
		}
	}
	for d, ok := t.leaving.due(now); ok; d, ok = t.leaving.due(now) {
		p := t.people[d.key.user]
		if p == nil {
			continue
		}
		left := p.device(d.key.session)
		if left == nil || left.Version != d.version {
			continue // it came back, or signed out
		}
		e := *left
		e.Version, e.At = t.next(now)
		e.Gone = true
		over = append(over, e)
	}
	return over
}

// retry has the ends of grace periods that the store did not take tried again.
func (t *Tracker) retry(over []Entry) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range over {
		p := t.people[e.User]
		if p == nil {
			continue
		}
		if left := p.device(e.Session); left != nil {
			t.leaving.add(deadline{sessionKey{e.User, e.Session}, left.Version, e.At})
		}
	}
}

// told is what one topic is told at the end of a window.
type told struct {
	watchers []*watcher
	all      []Change
	here     []Change
}

// tell hands out what changed since the last window: by user first, then by topic.
func (t *Tracker) tell() {
	t.mu.Lock()
	if len(t.dirty) == 0 {
		t.mu.Unlock()
		return
	}
	crowd := len(t.dirty) > 1000
	topics := map[string]*told{}
	for user, here := range t.dirty {
		delete(t.dirty, user)
		p := t.people[user]
		c, changed := p.settle(user)
		if changed {
			for _, name := range p.topics {
				to := topics[name]
				if to == nil {
					to = &told{watchers: t.topics[name].watchers}
					topics[name] = to
				}
				to.all = append(to.all, c)
				if here {
					to.here = append(to.here, c)
				}
			}
		}
		t.tidy(user, p)
	}
	if crowd { // a map keeps the room that it once needed
		t.dirty = make(map[string]bool)
	}
	t.mu.Unlock()
	for name, to := range topics {
		for _, w := range to.watchers {
			w.fn(name, to.all)
		}
		if t.opts.Publish != nil && len(to.here) > 0 {
			t.opts.Publish(name, to.here)
		}
	}
}

// Close ends the tracker's goroutine and gives up its lease, so that other
// nodes take over its devices at once. It returns when the goroutine has ended
// or with ctx's error. Nothing is told any more.
func (t *Tracker) Close(ctx context.Context) error {
	t.mu.Lock()
	again := t.closed
	t.closed = true
	t.mu.Unlock()
	if again {
		return ErrClosed
	}
	t.stop()
	select {
	case <-t.done:
	case <-ctx.Done():
		return ctx.Err()
	}
	return t.opts.Store.Renew(ctx, t.opts.Node, time.Now())
}
