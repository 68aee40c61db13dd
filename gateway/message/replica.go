package message

import (
	"context"
	"errors"
	"sync"
	"time"
)

// replica is what a Replicated knows of one of its replicas.
type replica struct {
	Replica
	opts ReplicatedOptions

	mu       sync.Mutex // never held while the replica is asked
	asOf     time.Time  // it has all that was written by then; zero: unknown
	asked    time.Time  // when Lag was last called
	asking   bool
	failed   int       // times since it last answered a page
	outUntil time.Time // left out
	figures  ReplicaStats
}

// errStale is why a replica does not answer.
var errStale = errors.New("message: the replica is not fresh enough, as far as is known")

// page returns a page if the replica has all that was written by need, and is not left out.
func (r *replica) page(ctx context.Context, channel string, q Query, need time.Time) ([]Message, error) {
	if !r.reaches(ctx, need) {
		return nil, errStale
	}
	ask, cancel, fair := r.within(ctx)
	defer cancel()
	page, err := r.Page(ask, channel, q)
	r.heard(ctx, fair, err)
	return page, err
}

// within gives the replica its time: never more than half of the caller's, who needs the other half
// for the primary. It is fair to call a replica dead that did not use it.
func (r *replica) within(ctx context.Context) (ask context.Context, cancel context.CancelFunc, fair bool) {
	d := r.opts.Timeout
	if end, ends := ctx.Deadline(); ends {
		d = min(d, time.Until(end)/2)
	}
	ask, cancel = context.WithTimeout(ctx, d)
	return ask, cancel, d >= r.opts.Timeout/10
}

// reaches reports whether the replica has all that was written by need. It asks for its lag if
// that may help, and it has not been asked just now.
func (r *replica) reaches(ctx context.Context, need time.Time) bool {
	r.mu.Lock()
	now := time.Now()
	if now.Before(r.outUntil) {
		r.mu.Unlock()
		return false
	}
	if !r.asOf.Before(need) {
		r.mu.Unlock()
		return true
	}
	if r.asking || now.Sub(r.asked) < r.opts.LagEvery && !r.asked.IsZero() {
		r.mu.Unlock()
		return false
	}
	r.asking, r.asked = true, now
	failures := r.figures.Failures
	r.mu.Unlock()

	ask, cancel, fair := r.within(ctx)
	defer cancel()
	lag, err := r.Lag(ask)
	if err != nil {
		r.heard(ctx, fair, err)
	}

	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking = false
	if err != nil || r.figures.Failures != failures {
		return false
	}
	if asOf := now.Add(-max(0, lag)); asOf.After(r.asOf) {
		r.asOf = asOf
	}
	return !r.asOf.Before(need)
}

// heard notes how a page went, or that a lag was not told. One that a caller did not wait for, or
// not long enough to be fair, tells nothing.
func (r *replica) heard(ctx context.Context, fair bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		r.failed = 0
		r.figures.Pages++
		return
	}
	if ctx.Err() != nil || !fair {
		return
	}
	r.figures.Failures++
	now := time.Now()
	if now.Before(r.outUntil) {
		return // of those who asked at the same time, one counts
	}
	out := r.opts.Backoff
	for range min(r.failed, 30) {
		out = min(2*out, longestBackoff)
	}
	r.failed++
	r.outUntil = now.Add(min(out, longestBackoff))
	r.asOf, r.asked = time.Time{}, time.Time{} // it may come back as an older copy
}

func (r *replica) stats() ReplicaStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.figures
	s.Out, s.AsOf = time.Now().Before(r.outUntil), r.asOf
	return s
}

// written remembers when channels were last written to, of the most recent ones, and of all others
// when they were at the latest.
type written struct {
	most int // of each of the two

	mu       sync.Mutex
	young    map[string]time.Time
	old      map[string]time.Time // what young was when it was full
	earliest time.Time            // no channel that is in neither was written to after this
}

func (w *written) note(channel string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.young) >= w.most {
		for _, at := range w.old {
			if at.After(w.earliest) {
				w.earliest = at
			}
		}
		w.old, w.young = w.young, nil
	}
	if w.young == nil {
		w.young = make(map[string]time.Time)
	}
	w.young[channel] = at
}

func (w *written) last(channel string) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at, there := w.young[channel]; there {
		return at
	}
	if at, there := w.old[channel]; there {
		return at
	}
	return w.earliest
}
