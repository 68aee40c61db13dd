package message

import (
	"context"
	"sync/atomic"
	"time"
)

// Replica answers pages from a copy of a store that follows it. It is safe for concurrent use.
type Replica interface {
	// Page is that of [Store], as of the copy.
	Page(ctx context.Context, channel string, q Query) ([]Message, error)

	// Lag says how far the copy is behind at most: all that the primary had done by then, so
	// long before Lag was called, is in every Page that is asked for after it returned. Clocks
	// that differ, and whatever is not known, make it longer, never shorter. It asks the replica
	// each time. A copy does not go back in time, or else returns errors until it has caught up.
	Lag(ctx context.Context) (time.Duration, error)
}

// Replicated is a Store that writes to a primary and reads from replicas, as far as they are fresh
// enough; the primary answers where none is, and where one fails.
//
//   - A page has all that was written MaxStaleness before it was asked for, or as long before as
//     its context says: see [WithStaleness].
//   - A page has all that was written to its channel through this Replicated by then, whoever
//     wrote: so a writer reads its own writes, and who was told of a message finds it. What
//     other processes wrote is under MaxStaleness alone, or under [Replicated.Wrote].
//   - A replica that fails, or does not answer in time, is left out, for longer each time that
//     it fails again; after that it is asked for its lag, and taken back if it tells it.
//
// Of two pages, the later may be of an earlier state, within these bounds. It does not make a
// primary of a replica, and a page that no replica may answer costs the primary a read. It has
// no goroutines: replicas are asked for their lag when a page needs to know, by the one who
// wants it. It is safe for concurrent use. Make one with [NewReplicated].
type Replicated struct {
	primary  Store
	replicas []*replica
	opts     ReplicatedOptions
	written  written
	next     atomic.Uint64 // which replica is asked first
	answered atomic.Uint64 // pages, by the primary
}

// ReplicatedOptions say what a Replicated does. The zero value works.
type ReplicatedOptions struct {
	// MaxStaleness is what a page may lack, where its context does not say; 0: 1 s.
	// Negative: nothing, so that the primary answers.
	MaxStaleness time.Duration

	// LagEvery is how often a replica is asked for its lag at most; 0: 100 ms. Until it is
	// asked again, the primary answers pages of what was written since.
	LagEvery time.Duration

	// Timeout is how long a replica may take for an answer; 0: 1 s.
	Timeout time.Duration

	// Backoff is how long a replica is left out that has failed once; 0: 1 s. It doubles
	// with each failure until it answers a page, up to a minute.
	Backoff time.Duration

	// MaxChannels is of how many channels the last write is remembered; 0: 10,000. Others
	// count as written to when the last of those was that had to be forgotten.
	MaxChannels int
}

// longestBackoff is how long a replica is left out at most.
const longestBackoff = time.Minute

// NewReplicated returns a store of a primary and replicas, of which there may be none.
func NewReplicated(primary Store, o ReplicatedOptions, replicas ...Replica) *Replicated {
	if o.MaxStaleness == 0 {
		o.MaxStaleness = time.Second
	}
	if o.LagEvery <= 0 {
		o.LagEvery = 100 * time.Millisecond
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	if o.Backoff <= 0 {
		o.Backoff = time.Second
	}
	if o.MaxChannels <= 0 {
		o.MaxChannels = 10_000
	}
	r := &Replicated{primary: primary, opts: o}
	r.written.most = max(1, o.MaxChannels/2)
	for _, of := range replicas {
		r.replicas = append(r.replicas, &replica{Replica: of, opts: o})
	}
	return r
}

// Append is of [Store].
func (r *Replicated) Append(ctx context.Context, channel string, batch []Message) error {
	defer r.Wrote(channel)
	return r.primary.Append(ctx, channel, batch)
}

// Edit is of [Store].
func (r *Replicated) Edit(ctx context.Context, m Message) error {
	defer r.Wrote(m.Channel)
	return r.primary.Edit(ctx, m)
}

// Delete is of [Store].
func (r *Replicated) Delete(ctx context.Context, channel string, ids ...ID) ([]ID, error) {
	defer r.Wrote(channel)
	return r.primary.Delete(ctx, channel, ids...)
}

// Wrote says that a channel was written to elsewhere: pages that are asked for from now on have
// what was written there by now. An event from another node is the moment to call it.
func (r *Replicated) Wrote(channel string) { r.written.note(channel, time.Now()) }

// Page is of [Store].
func (r *Replicated) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	staleness, asked := StalenessOf(ctx)
	if !asked {
		staleness = max(0, r.opts.MaxStaleness)
	}
	if staleness > 0 {
		need := time.Now().Add(-staleness)
		if last := r.written.last(channel); last.After(need) {
			need = last
		}
		first := r.next.Add(1)
		for i := range uint64(len(r.replicas)) {
			page, err := r.replicas[(first+i)%uint64(len(r.replicas))].page(ctx, channel, q, need)
			if err == nil {
				return page, nil
			}
			if ctx.Err() != nil {
				return nil, ctx.Err()
			}
		}
	}
	r.answered.Add(1)
	return r.primary.Page(ctx, channel, q)
}

// ReplicatedStats says who has answered the pages.
type ReplicatedStats struct {
	Primary  uint64
	Replicas []ReplicaStats // in the order of NewReplicated
}

// ReplicaStats is what a replica has done.
type ReplicaStats struct {
	Pages, Failures uint64
	Out             bool      // left out for now
	AsOf            time.Time // it has all that was written by then, as far as is known
}

// Stats returns the present figures.
func (r *Replicated) Stats() ReplicatedStats {
	s := ReplicatedStats{Primary: r.answered.Load()}
	for _, of := range r.replicas {
		s.Replicas = append(s.Replicas, of.stats())
	}
	return s
}
