package shard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// RosterOptions configure a [Roster]. The zero value watches.
type RosterOptions struct {
	// Self is announced, and renewed at every third of the lease. Without an ID nobody is: so
	// watches who writes a load balancer's configuration.
	Self Member

	// Lease is for how long a node that says nothing is a member: 6 s. All nodes should have the
	// same.
	Lease time.Duration

	// Settle is how long the directory has to say the same, other than before, until it is
	// believed: a lease. A node that is back before, under the same ID, has caused no change, and
	// a roll causes fewer. It is also what keeps the rest from being taken for gone when a
	// directory comes back empty, and they say one after another that they are there: do not set
	// less than half a lease but for tests. Negative is not at all.
	Settle time.Duration

	// OnChange is called once for each change, in a goroutine, one call at a time. What it does
	// may take long: its context ends when the next change is there, or Leave is called, and the
	// next call begins when this one has returned. was is what now was the time before, or what
	// Join found: what came in between is in both. nil: nobody is told.
	OnChange func(ctx context.Context, was, now *View)
}

// Roster is who the members of a [Directory] are, by an own node's knowledge, and the node's place among
// them. Make it with [Join]; it is safe for concurrent use. It has two goroutines until Leave.
//
// While the directory cannot be reached, or says nonsense, the last view stays, and Err says so.
type Roster struct {
	// Static after Join.
	directory Directory
	o         RosterOptions
	view      atomic.Pointer[View]
	stop      context.CancelFunc // both goroutines
	keeping   sync.WaitGroup
	telling   sync.WaitGroup
	changed   chan struct{} // holds a note when there may be a view that OnChange has not seen

	// Guarded by mu.
	mu    sync.Mutex
	err   error
	abort context.CancelFunc // the call of OnChange that runs
	left  bool

	// Owned by keep.
	settling settling
}

// errAbsent is that the directory does not have what it has just been told.
var errAbsent = errors.New("shard: the directory does not have what was announced")

// Join makes this node a member, if Self says which, and returns when it knows the others. Call it when the
// node serves. Only what Join does ends with ctx.
//
// The error is that of the directory, [ErrInvalid] for Self, or as for [NewRing].
func Join(ctx context.Context, d Directory, o RosterOptions) (*Roster, error) {
	if o.Lease <= 0 {
		o.Lease = 6 * time.Second
	}
	if o.Settle == 0 {
		o.Settle = o.Lease
	}
	if o.OnChange == nil {
		o.OnChange = func(context.Context, *View, *View) {}
	}
	r := &Roster{directory: d, o: o, changed: make(chan struct{}, 1), abort: func() {}}
	if r.announces() {
		if err := o.Self.check(); err != nil {
			return nil, err
		}
	}
	view, err := r.look(ctx)
	if err != nil {
		return nil, err
	}
	r.view.Store(view)
	running, stop := context.WithCancel(context.Background())
	r.stop = stop
	r.keeping.Go(func() { r.keep(running) })
	r.telling.Go(func() { r.tell(running, view) })
	return r, nil
}

// View returns who the members are. It neither waits nor allocates.
func (r *Roster) View() *View { return r.view.Load() }

// Err returns why the view may be old: what the directory said when it was last asked, or nil.
func (r *Roster) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.err
}

// Leave has this node be no member any more, at once, aborts OnChange, and returns when that has returned or ctx has
// ended. Call it before the node drains, so that nobody is sent to it meanwhile. View goes on to
// return the last one. After an error the others may see the node until its lease is over. Further
// calls do nothing.
func (r *Roster) Leave(ctx context.Context) error {
	r.mu.Lock()
	again := r.left
	r.left = true
	r.mu.Unlock()
	if again {
		return nil
	}
	r.stop()
	r.keeping.Wait() // or it would announce the node again
	var err error
	if r.announces() {
		err = r.directory.Announce(ctx, r.o.Self, 0)
	}
	told := make(chan struct{})
	go func() {
		r.telling.Wait()
		close(told)
	}()
	select {
	case <-told:
		return err
	case <-ctx.Done():
		return errors.Join(err, ctx.Err())
	}
}

func (r *Roster) announces() bool { return r.o.Self != (Member{}) }

// keep is the goroutine that renews the lease and sees who is there. Join starts it, Leave ends it.
func (r *Roster) keep(ctx context.Context) {
	every := r.o.Lease / 3
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		within, cancel := context.WithTimeout(ctx, every)
		err := r.round(within)
		cancel()
		if ctx.Err() != nil {
			return
		}
		r.mu.Lock()
		r.err = err
		r.mu.Unlock()
	}
}

// round is what keep does each time.
func (r *Roster) round(ctx context.Context) error {
	members, err := r.ask(ctx)
	if err != nil {
		return err
	}
	if !r.settling.heard(time.Now(), r.View().members, members, r.o.Settle) {
		return nil
	}
	view, err := newView(members)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.view.Store(view)
	r.abort()
	select {
	case r.changed <- struct{}{}:
	default:
	}
	return nil
}

// look is the first round.
func (r *Roster) look(ctx context.Context) (*View, error) {
	members, err := r.ask(ctx)
	if err != nil {
		return nil, err
	}
	return newView(members)
}

// ask says that this node is there, and asks who is.
func (r *Roster) ask(ctx context.Context) ([]Member, error) {
	if r.announces() {
		if err := r.directory.Announce(ctx, r.o.Self, r.o.Lease); err != nil {
			return nil, fmt.Errorf("shard: announce a node: %w", err)
		}
	}
	members, err := r.directory.Members(ctx)
	if err != nil {
		return nil, fmt.Errorf("shard: read the members: %w", err)
	}
	sortMembers(members)
	if r.announces() && !(&View{members: members}).has(r.o.Self.ID) {
		return nil, errAbsent // all that is here would be somebody else's
	}
	return members, nil
}

// tell is the goroutine that calls OnChange, which has seen a view. Join starts it, Leave ends it.
func (r *Roster) tell(ctx context.Context, seen *View) {
	for {
		select {
		case <-r.changed:
		case <-ctx.Done():
			return
		}
		r.mu.Lock()
		now := r.View()
		running, stop := context.WithCancel(ctx)
		r.abort = stop
		r.mu.Unlock()
		if now != seen {
			r.o.OnChange(running, seen, now)
			seen = now
		}
		stop()
	}
}
