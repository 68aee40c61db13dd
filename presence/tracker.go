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
	opts  Options
	began time.Time     // of its own clock
	ready chan struct{} // closed when the store knows this node and what it has was read, or it did not answer
	done  chan struct{}
	stop  context.CancelFunc

	// Guarded by mu, which is never held while the store or a callback runs.
	mu      sync.Mutex
	people  map[string]*person
	topics  map[string]*topic
	dirty   map[string]bool      // users to look at when the window ends; true: changed here
	unsaid  map[sessionKey]Entry // what the goroutine is to put
	flying  map[sessionKey]Entry // what calls put: the newest of each session
	leaving deadlines            // when to look at devices of this node that have lost their connection
	graves  deadlines            // when to forget the versions of gone sessions
	version uint64
	closed  bool

	// Owned by the goroutine.
	cursor  uint64
	renewed time.Time // zero: never
	refill  time.Time // when to look for what the store has lost of others; zero: it has lost nothing
	atOnce  int       // how many entries are put at once
	failing map[string]bool
}

// New returns a tracker that is running.
func New(opts Options) (*Tracker, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	t := &Tracker{
		opts: opts, began: time.Now(), ready: make(chan struct{}), done: make(chan struct{}), stop: stop,
		people:  make(map[string]*person),
		topics:  make(map[string]*topic),
		dirty:   make(map[string]bool),
		unsaid:  make(map[sessionKey]Entry),
		flying:  make(map[sessionKey]Entry),
		failing: make(map[string]bool),
		atOnce:  mostAtOnce,
	}
	go t.run(ctx)
	return t, nil
}

// clock is the tracker's own: never 0, and nobody sets it.
func (t *Tracker) clock() time.Duration { return time.Since(t.began) + 1 }

// Set says that a device is connected on this node, or has changed. One that is
// as it was costs the store nothing. The error is ErrDevice, ErrStatus,
// ErrActivities, ErrDevices or ErrClosed, and then nothing has changed; or it is
// the store's or ctx's: then the tracker goes on trying, until another call for
// the session. Status Offline is taken for Invisible: the device is there. The
// first calls wait until the tracker has read what the store has.
func (t *Tracker) Set(ctx context.Context, d Device) error {
	e, err := t.entry(d)
	if err != nil {
		return err
	}
	select {
	case <-t.ready: // else what others were told before would be told again, and the node be taken for dead
	case <-ctx.Done():
		return ctx.Err()
	}
	key := sessionKey{e.User, e.Session}
	t.mu.Lock()
	p := t.people[e.User]
	switch {
	case t.closed:
		err = ErrClosed
	case p != nil && !p.room(d.Session, t.opts.MaxDevices):
		err = ErrDevices
	}
	if err != nil {
		t.mu.Unlock()
		return err
	}
	_, late := t.unsaid[key]
	_, busy := t.flying[key]
	if known := p.device(e.Session); known != nil {
		known.here, known.left = true, 0
		if known.is(e) && !late && !busy {
			t.mu.Unlock()
			return nil
		}
	}
	e.Version, e.At = t.next()
	t.fly(key, e)
	t.mu.Unlock()
	return t.put(ctx, key, e)
}

// is reports whether the store has the device as e says, but for when.
func (d *device) is(e Entry) bool {
	return d.Node == e.Node && d.Left.IsZero() && d.Platform == e.Platform && d.Status == e.Status && bytes.Equal(d.Activities, e.Activities)
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

// next returns a version higher than all that this tracker knows, and the time. mu is held.
func (t *Tracker) next() (uint64, time.Time) {
	now := time.Now()
	t.version = max(t.version+1, uint64(now.UnixNano()))
	return t.version, now
}

// Leave says that a device has lost its connection to this node. It still counts
// for the grace period; a Set of the same or another session of the user within
// it is silent. The store is told after Options.Blip, by the tracker's goroutine.
// A device that is not known, or that another node has by now, is no error.
func (t *Tracker) Leave(ctx context.Context, user, session string) error {
	if t.opts.Grace == 0 {
		return t.Remove(ctx, user, session)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	key := sessionKey{user, session}
	if !t.unsaid[key].Gone {
		delete(t.unsaid, key)
	}
	if !t.flying[key].Gone {
		delete(t.flying, key)
	}
	if d := t.people[user].device(session); d != nil && d.here {
		d.here = false
		if d.Node == t.opts.Node {
			t.leaves(d, t.clock())
		}
	}
	return nil
}

// Remove says that a device has signed out: it does not count any more. After an
// error, the store's or ctx's, the tracker goes on trying. A device that is not
// known, or that is connected to another node by now, is no error.
func (t *Tracker) Remove(ctx context.Context, user, session string) error {
	t.mu.Lock()
	key := sessionKey{user, session}
	delete(t.unsaid, key)
	delete(t.flying, key)
	d := t.people[user].device(session)
	if d == nil || d.Node != t.opts.Node && d.Left.IsZero() {
		if d != nil {
			d.here = false
		}
		t.mu.Unlock()
		return nil
	}
	d.here = false
	e := t.end(d)
	t.fly(key, e)
	t.mu.Unlock()
	return t.put(ctx, key, e)
}

// end is the entry that ends a device. mu is held.
func (t *Tracker) end(d *device) Entry {
	e := t.lost(d)
	e.Gone = true
	return e
}

// lost is the entry of a device that has no connection: since it left, or now. mu is held.
func (t *Tracker) lost(d *device) Entry {
	e := d.Entry
	e.Node = t.opts.Node
	e.Version, e.At = t.next()
	if e.Left.IsZero() && d.left != 0 {
		e.Left = e.At.Add(d.left - t.clock())
	}
	return e
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
