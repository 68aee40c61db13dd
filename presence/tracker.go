package presence

import (
	"bytes"
	"context"
	"encoding/json"
	"sync"
	"time"
)

// Tracker knows who is online. Make it with [New]; it is safe for concurrent
// use, and owns one goroutine until [Tracker.Close].
type Tracker struct {
	// Static after construction.
	opts Options
	done chan struct{}
	stop context.CancelFunc

	// Guarded by mu, which is never held while the store or a callback runs.
	mu      sync.Mutex
	people  map[string]*person
	topics  map[string]*topic
	dirty   map[string]bool // users to look at when the window ends; true: changed here
	leaving deadlines       // devices of this node in their grace period
	graves  deadlines       // gone sessions whose version is still remembered
	version uint64
	closed  bool

	// Owned by the goroutine.
	cursor  uint64
	renewed time.Time
	known   bool // the lease has been renewed once
}

// New returns a tracker that is running.
func New(opts Options) (*Tracker, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	t := &Tracker{
		opts: opts, done: make(chan struct{}), stop: stop,
		people: make(map[string]*person),
		topics: make(map[string]*topic),
		dirty:  make(map[string]bool),
	}
	go t.run(ctx)
	return t, nil
}

// Set says that a device is there, or has changed. The error is ErrDevice,
// ErrStatus, ErrActivities, ErrDevices, ErrClosed or the store's, and then
// nothing has changed. Status Offline is taken for Invisible: the device is there.
func (t *Tracker) Set(ctx context.Context, d Device) error {
	e, err := t.entry(d)
	if err != nil {
		return err
	}
	t.mu.Lock()
	switch p := t.people[d.User]; {
	case t.closed:
		err = ErrClosed
	case p != nil && !p.room(d.Session, t.opts.MaxDevices):
		err = ErrDevices
	}
	e.Version, e.At = t.next(time.Now())
	t.mu.Unlock()
	if err != nil {
		return err
	}
	return t.put(ctx, e)
}

func (t *Tracker) entry(d Device) (Entry, error) {
	if d.User == "" || d.Session == "" {
		return Entry{}, ErrDevice
	}
	status, err := ParseStatus(string(d.Status))
	if err != nil {
		return Entry{}, err
	}
	if status == Offline {
		status = Invisible
	}
	if d.Platform == "" {
		d.Platform = "web"
	}
	if !t.acceptable(d.Activities) {
		return Entry{}, ErrActivities
	}
	return Entry{User: d.User, Session: d.Session, Node: t.opts.Node, Platform: d.Platform, Status: status, Activities: d.Activities}, nil
}

func (t *Tracker) acceptable(activities json.RawMessage) bool {
	if activities == nil {
		return true
	}
	long := t.opts.MaxActivities > 0 && len(activities) > t.opts.MaxActivities
	return !long && bytes.HasPrefix(activities, []byte("[")) && json.Valid(activities)
}

// next returns a version higher than all before, and than those of nodes whose
// clocks are not ahead of this one's. mu is held.
func (t *Tracker) next(now time.Time) (uint64, time.Time) {
	t.version = max(t.version+1, uint64(now.UnixNano()))
	return t.version, now
}

// put stores an entry and then believes it.
func (t *Tracker) put(ctx context.Context, e Entry) error {
	if err := t.opts.Store.Put(ctx, e); err != nil {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.believe(e, true)
	return nil
}

// believe applies an entry. mu is held.
func (t *Tracker) believe(e Entry, here bool) {
	p := t.people[e.User]
	if p == nil {
		p = new(person)
		t.people[e.User] = p
	}
	if p.apply(e) {
		t.dirty[e.User] = t.dirty[e.User] || here
		key := sessionKey{e.User, e.Session}
		switch {
		case e.Gone:
			t.graves.add(deadline{key, e.Version, e.At.Add(2 * t.opts.Lease)})
		case here && !e.Left.IsZero():
			t.leaving.add(deadline{key, e.Version, e.Left.Add(t.opts.Grace)})
		}
	}
	t.version = max(t.version, e.Version)
	t.tidy(e.User, p)
}

// tidy forgets a person of whom nothing is left to know or to tell. mu is held.
func (t *Tracker) tidy(user string, p *person) {
	if _, dirty := t.dirty[user]; !dirty && p.empty() {
		delete(t.people, user)
	}
}

// Leave says that a device has lost its connection. It still counts for the
// grace period; a Set of the same or another session of the user within it is
// silent. A device that is not known is no error.
func (t *Tracker) Leave(ctx context.Context, user, session string) error {
	return t.change(ctx, user, session, func(e *Entry) {
		e.Left = e.At
		e.Gone = t.opts.Grace == 0
	})
}

// Remove says that a device has signed out: it does not count any more.
func (t *Tracker) Remove(ctx context.Context, user, session string) error {
	return t.change(ctx, user, session, func(e *Entry) { e.Gone = true })
}

func (t *Tracker) change(ctx context.Context, user, session string, change func(*Entry)) error {
	t.mu.Lock()
	var e Entry
	there := false
	if p := t.people[user]; p != nil {
		if known := p.device(session); known != nil {
			e, there = *known, true
		}
	}
	if there {
		e.Version, e.At = t.next(time.Now())
		e.Node = t.opts.Node
		change(&e)
	}
	t.mu.Unlock()
	if !there {
		return nil
	}
	return t.put(ctx, e)
}

// Get returns a user as others see them.
func (t *Tracker) Get(user string) Presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.people[user]; p != nil {
		return p.seen(user)
	}
	return Presence{User: user, Status: Offline}
}

// Self returns a user as they see themselves: Invisible is told.
func (t *Tracker) Self(user string) Presence {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p := t.people[user]; p != nil {
		return p.self(user)
	}
	return Presence{User: user, Status: Offline}
}
