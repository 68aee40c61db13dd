package nats

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/presence"
)

// Presence is a presence.Store in JetStream; nodes share it by its name. Make it with [NewPresence].
//
// A cursor is a place in the stream, which has only the newest entry of each session. A gone one is
// forgotten two hours after it was put.
type Presence struct {
	table *table
	newer func(error) // says that there is an entry that cannot be read
}

var _ presence.Store = (*Presence)(nil)

// NewPresence opens the store that has this name, and makes it if it is not there yet. The connection
// below js stays the caller's. Only what NewPresence does ends with ctx.
func NewPresence(ctx context.Context, js jetstream.JetStream, name string, o StoreOptions) (*Presence, error) {
	t, err := openTable(ctx, js, "presence", name, o)
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	var told sync.Once
	return &Presence{t, func(err error) {
		told.Do(func() {
			o.Logger.Warn("nats: presence that cannot be read is not seen", "presence", name, "error", err)
		})
	}}, nil
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on. It takes 2 s at most.
func (p *Presence) Close() error { return p.table.end() }

// Put is of presence.Store. It is two round trips.
func (p *Presence) Put(ctx context.Context, e presence.Entry) error {
	return wrap("put", p.table.call(ctx, func(ctx context.Context) error {
		for {
			k, err := p.table.get(ctx, entryKey(e))
			if err != nil {
				return err
			}
			if k.seq > 0 {
				old, err := p.entryOf(k)
				if err == nil && old.Version >= e.Version {
					return nil
				}
				if err != nil {
					p.newer(err) // who puts has the session now
				}
			}
			if _, err := p.put(ctx, e, k.seq); !outdated(err) {
				return err
			}
		}
	}))
}

// graveFor is for how long a gone entry is kept: longer than an hour.
const graveFor = 2 * time.Hour

func (p *Presence) put(ctx context.Context, e presence.Entry, revision uint64) (uint64, error) {
	ttl := time.Duration(0)
	if e.Gone {
		ttl = graveFor
	}
	return p.table.put(ctx, entryKey(e), encodeEntry(e), revision, ttl)
}

// Renew is of presence.Store. It is one round trip, whatever the node answers for.
func (p *Presence) Renew(ctx context.Context, node string, until time.Time) error {
	return wrap("renew", p.table.call(ctx, func(ctx context.Context) error {
		_, err := p.table.write(ctx, leaseKey(node), encodeUntil(until), 0)
		return err
	}))
}

// Sweep is of presence.Store. While all nodes live it reads their leases; when one died it reads every
// entry once, and writes those that it had. When it fails it may be tried again, by anybody: what was
// handed over comes with Since.
func (p *Presence) Sweep(ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
	var swept []presence.Entry
	err := p.table.call(ctx, func(ctx context.Context) (err error) {
		swept, err = p.sweep(ctx, node, now)
		return err
	})
	if err != nil {
		return nil, wrap("sweep", err)
	}
	return swept, nil
}

func (p *Presence) sweep(ctx context.Context, node string, now time.Time) ([]presence.Entry, error) {
	leases, err := p.over(ctx, node, now)
	if err != nil || len(leases) == 0 {
		return nil, err
	}
	var theirs []kept
	_, err = p.table.scan(ctx, "entry.>", 1, func(k kept) {
		e, err := p.entryOf(k)
		if err != nil {
			p.newer(err)
		} else if !e.Gone && leases[e.Node].revision > 0 {
			theirs = append(theirs, k)
		}
	})
	if err != nil {
		return nil, err
	}
	got := make([]presence.Entry, len(theirs))
	ours := make([]int, len(theirs))
	for i := range ours {
		ours[i] = i
	}
	err = each(ours, func(i int) (err error) {
		got[i], err = p.handOver(ctx, theirs[i], leases, node, now)
		return err
	})
	swept := slices.DeleteFunc(got, func(e presence.Entry) bool { return e.User == "" && e.Session == "" && e.Version == 0 })
	for name, l := range leases {
		if err != nil {
			break
		}
		if err = p.table.remove(ctx, leaseKey(name), l.revision); errors.Is(err, errReplaced) {
			err = nil // it lives again
		}
	}
	return swept, err
}

// handOver gives an entry to a node, unless it does not bear a dead one any more: then it returns none.
func (p *Presence) handOver(ctx context.Context, k kept, leases map[string]lease, node string, now time.Time) (presence.Entry, error) {
	for {
		e, err := p.entryOf(k)
		l := leases[e.Node]
		if err != nil || e.Gone || l.revision == 0 {
			return presence.Entry{}, nil
		}
		e.Node, e.At = node, now
		e.Version++
		if e.Left.IsZero() {
			e.Left = l.until
		}
		if _, err = p.put(ctx, e, k.seq); !outdated(err) {
			if err != nil {
				e = presence.Entry{}
			}
			return e, err
		}
		if k, err = p.table.get(ctx, entryKey(e)); err != nil || k.seq == 0 {
			return presence.Entry{}, err
		}
	}
}

// lease is until when a node lives, and the revision of what says so.
type lease struct {
	until    time.Time
	revision uint64
}

// over returns the leases of other nodes that ended before now.
func (p *Presence) over(ctx context.Context, node string, now time.Time) (map[string]lease, error) {
	all := make(map[string]lease)
	_, err := p.table.scan(ctx, "node.*", 1, func(k kept) {
		name, ok := unescape(k.subject[len(p.table.prefix+"node."):])
		until, valid := decodeUntil(k.data)
		if ok && valid && name != node {
			all[name] = lease{until, k.seq}
		}
	})
	for name, l := range all {
		if !l.until.Before(now) {
			delete(all, name)
		}
	}
	return all, err
}

// Since is of presence.Store. It is one round trip when nothing has changed.
func (p *Presence) Since(ctx context.Context, cursor uint64) (changed []presence.Entry, next uint64, err error) {
	var got []presence.Entry
	var at uint64
	err = p.table.call(ctx, func(ctx context.Context) (err error) {
		got, at, err = p.since(ctx, cursor)
		return err
	})
	if err != nil {
		return nil, cursor, wrap("read changes", err)
	}
	return got, at, nil
}

func (p *Presence) since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	newest, err := p.table.get(ctx, "entry.>")
	if err != nil {
		return nil, cursor, err
	}
	if newest.seq < cursor {
		if st, err := p.table.info(ctx); err != nil || st.last >= cursor {
			return nil, cursor, err // the newest ones were forgotten
		}
		cursor = 0 // the stream has lost its end, or is another one
	}
	var all []presence.Entry
	place := make(map[string]int) // in all, by subject
	next, err := p.table.scan(ctx, "entry.>", cursor+1, func(k kept) {
		e, err := p.entryOf(k)
		if err != nil {
			p.newer(err)
			return
		}
		if i, again := place[k.subject]; again {
			all[i].Version = 0 // it has changed while it was read
		}
		place[k.subject] = len(all)
		all = append(all, e)
	})
	return slices.DeleteFunc(all, func(e presence.Entry) bool { return e.Version == 0 }), next, err
}
