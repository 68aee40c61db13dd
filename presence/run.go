package presence

import (
	"context"
	"time"
)

// run is the tracker's goroutine: every window it renews the lease, reads what
// other nodes changed, takes over from dead ones, puts what is due and tells what changed.
func (t *Tracker) run(ctx context.Context) {
	defer close(t.done)
	ticker := time.NewTicker(t.opts.Window)
	defer ticker.Stop()
	for first := true; ; first = false {
		now := time.Now()
		renewed, err := t.renew(ctx, now)
		t.log(ctx, "renew the lease", err)
		t.log(ctx, "read changes", t.read(ctx))
		if first {
			t.tell() // how it was before is no news of this node
			close(t.ready)
		}
		if renewed {
			t.log(ctx, "take over from the dead", t.sweep(ctx))
		}
		t.expire()
		t.log(ctx, "put what is due", t.flush(ctx))
		t.log(ctx, "look for what it has lost", t.putBack(ctx, now))
		t.tell()
		select {
		case <-ctx.Done():
			if t.isClosed() {
				t.tell()
			}
			return
		case <-ticker.C:
		}
	}
}

func (t *Tracker) isClosed() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.closed
}

// log says that the store has begun to fail, or that it does not any more. What fails because the tracker ends is
// no failure.
func (t *Tracker) log(ctx context.Context, what string, err error) {
	if ctx.Err() != nil || t.failing[what] == (err != nil) {
		return
	}
	t.failing[what] = err != nil
	if err != nil {
		t.opts.Logger.Error("presence: the store fails", "to", what, "error", err)
	} else {
		t.opts.Logger.Info("presence: the store does not fail any more", "to", what)
	}
}

// renew keeps this node's lease, and reports whether it was time for that.
func (t *Tracker) renew(ctx context.Context, now time.Time) (renewed bool, err error) {
	if !t.renewed.IsZero() && now.Sub(t.renewed) < t.opts.Lease/3 {
		return false, nil
	}
	known, err := t.opts.Store.Renew(ctx, t.opts.Node, t.opts.Lease)
	if err != nil {
		return false, err
	}
	if !known && !t.renewed.IsZero() {
		t.restate(now)
	}
	t.renewed = now
	return true, nil
}

// sweep takes over the devices of nodes that have lost their leases.
func (t *Tracker) sweep(ctx context.Context) error {
	swept, err := t.opts.Store.Sweep(ctx, t.opts.Node)
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, e := range swept {
		t.believe(e, true)
	}
	return err
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

// Close tells what has changed, ends the tracker's goroutine and gives up its
// lease, so that other nodes take over its devices at once: they have their
// grace period. It returns when that is done or with ctx's error. Nothing is
// told afterwards.
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
	_, err := t.opts.Store.Renew(ctx, t.opts.Node, 0)
	return err
}
