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
// Whether a node lives is judged by the clock of the server that leads the stream, and by when it got the
// lease. A cursor is a place in the stream, which has only the newest entry of each session. A gone one is
// forgotten two hours after it was put. A stream that is lost is made again.
type Presence struct {
	table *table
	newer func(error) // says that there is an entry that cannot be read

	mu     sync.Mutex
	leases map[string]held // of nodes that this process answers for
	epoch  uint64          // of the stream that was read
	looked time.Time       // when that was
}

// held is the lease of a node, as this process knows it.
type held struct {
	revision uint64
	until    time.Time // until when it is not over, for certain
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
	return &Presence{table: t, leases: make(map[string]held), newer: func(err error) {
		told.Do(func() {
			o.Logger.Warn("nats: presence that cannot be read is not seen", "presence", name, "error", err)
		})
	}}, nil
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on. It takes 2 s at most.
func (p *Presence) Close() error { return p.table.end() }

// Put is of presence.Store. It is two round trips, of all entries side by side.
func (p *Presence) Put(ctx context.Context, entries ...presence.Entry) error {
	if err := ctx.Err(); err != nil {
		return wrap("put", err)
	}
	return wrap("put", each(entries, func(e presence.Entry) error {
		return p.call(ctx, func(ctx context.Context) error { return p.putNewer(ctx, e) })
	}))
}

// call is that of the table, which is made again if it is lost.
func (p *Presence) call(ctx context.Context, f func(ctx context.Context) error) error {
	return p.table.call(ctx, func(ctx context.Context) error {
		err := f(ctx)
		if lost(err) {
			if err = p.table.mend(ctx); err == nil {
				err = f(ctx)
			}
		}
		return err
	})
}

func (p *Presence) putNewer(ctx context.Context, e presence.Entry) error {
	if err := p.haveLease(ctx, e); err != nil {
		return err
	}
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
}

// haveLease has the node of an entry have a lease, one that is over unless it is renewed: a sweep looks for those.
func (p *Presence) haveLease(ctx context.Context, e presence.Entry) error {
	if e.Gone {
		return nil
	}
	p.mu.Lock()
	lives := time.Now().Before(p.leases[e.Node].until)
	p.mu.Unlock()
	if lives {
		return nil
	}
	_, err := p.table.put(ctx, leaseKey(e.Node), encodeLease(0), 0, 0)
	if outdated(err) {
		return nil
	}
	return err
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
func (p *Presence) Renew(ctx context.Context, node string, lease time.Duration) (known bool, err error) {
	var was bool
	err = p.call(ctx, func(ctx context.Context) (err error) {
		was, err = p.renew(ctx, node, max(0, lease))
		return err
	})
	return err == nil && was, wrap("renew", err)
}

func (p *Presence) renew(ctx context.Context, node string, lease time.Duration) (known bool, err error) {
	began := time.Now()
	p.mu.Lock()
	revision := p.leases[node].revision
	p.mu.Unlock()
	known = revision > 0
	for {
		now, err := p.table.put(ctx, leaseKey(node), encodeLease(lease), revision, 0)
		if err == nil {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.leases[node] = held{now, began.Add(lease)}
			return known, nil
		}
		if !outdated(err) {
			return false, err
		}
		k, err := p.table.get(ctx, leaseKey(node))
		if err != nil {
			return false, err
		}
		length, _ := decodeLease(k.data)
		revision, known = k.seq, length > 0 // else it is of a Put
	}
}

// Sweep is of presence.Store. While all nodes live it reads their leases; when one died it reads every
// entry once, and writes those that it had. When it fails it may be tried again, by anybody: what was
// handed over comes with Since.
func (p *Presence) Sweep(ctx context.Context, node string) ([]presence.Entry, error) {
	var swept []presence.Entry
	err := p.call(ctx, func(ctx context.Context) (err error) {
		swept, err = p.sweep(ctx, node)
		return err
	})
	if err != nil {
		return nil, wrap("sweep", err)
	}
	return swept, nil
}

func (p *Presence) sweep(ctx context.Context, node string) ([]presence.Entry, error) {
	c, err := p.look(ctx, node)
	if err != nil || !c.dead {
		return nil, err
	}
	var theirs []kept
	_, err = p.table.scan(ctx, "entry.>", 1, func(k kept) {
		e, err := p.entryOf(k)
		if err != nil {
			p.newer(err)
		} else if !c.lives(e) {
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
		got[i], err = p.handOver(ctx, theirs[i], c)
		return err
	})
	swept := slices.DeleteFunc(got, func(e presence.Entry) bool { return e.User == "" && e.Session == "" && e.Version == 0 })
	for name, l := range c.leases {
		if err != nil {
			break
		}
		if l.until.After(c.now) || name == node {
			continue
		}
		if err = p.table.remove(ctx, leaseKey(name), l.revision); errors.Is(err, errReplaced) {
			err = nil // it lives again
		}
	}
	return swept, err
}

// handOver gives an entry to who sweeps, unless it does not bear a dead node any more: then it returns none.
func (p *Presence) handOver(ctx context.Context, k kept, c census) (presence.Entry, error) {
	for {
		e, err := p.entryOf(k)
		if err != nil || c.lives(e) {
			return presence.Entry{}, nil
		}
		if e.Left.IsZero() {
			e.Left = c.now
			if l, ok := c.leases[e.Node]; ok {
				e.Left = l.until
			}
		}
		e.Node, e.At = c.heir, c.now
		e.Version++
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

// census is which nodes live.
type census struct {
	now    time.Time // by the server's clock, before the leases were read: who renews meanwhile lives
	heir   string    // who sweeps
	leases map[string]lease
	dead   bool // somebody is
}

// lease is until when a node lives, and the revision of what says so.
type lease struct {
	until    time.Time
	revision uint64
}

// lives reports whether an entry is not to be handed over. A node that has no lease does not live.
func (c census) lives(e presence.Entry) bool {
	return e.Gone || e.Node == c.heir || c.leases[e.Node].until.After(c.now)
}

// look reads the leases of all nodes.
func (p *Presence) look(ctx context.Context, node string) (census, error) {
	st, err := p.table.info(ctx)
	c := census{now: st.now, heir: node, leases: make(map[string]lease)}
	if err != nil {
		return c, err
	}
	_, err = p.table.scan(ctx, "node.*", 1, func(k kept) {
		name, ok := unescape(k.subject[len(p.table.prefix+"node."):])
		length, valid := decodeLease(k.data)
		if ok && valid {
			c.leases[name] = lease{k.at.Add(length), k.seq}
		}
	})
	for name, l := range c.leases {
		c.dead = c.dead || name != node && !l.until.After(c.now)
	}
	return c, err
}

// Since is of presence.Store. It is one round trip when nothing has changed, and another one in a second.
func (p *Presence) Since(ctx context.Context, cursor uint64) (changed []presence.Entry, next uint64, err error) {
	var got []presence.Entry
	var at uint64
	err = p.call(ctx, func(ctx context.Context) (err error) {
		got, at, err = p.since(ctx, cursor)
		return err
	})
	if err != nil {
		return nil, cursor, wrap("read changes", err)
	}
	return got, at, nil
}

// lookAgain is how often it is looked whether the stream is still the same.
const lookAgain = time.Second

// isAnother reports whether the stream is another one than before.
func (p *Presence) isAnother(ctx context.Context) (bool, error) {
	p.mu.Lock()
	looked := p.looked
	p.mu.Unlock()
	if time.Since(looked) < lookAgain {
		return false, nil
	}
	st, err := p.table.info(ctx)
	if err != nil {
		return false, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	another := p.epoch != 0 && p.epoch != st.epoch
	p.epoch, p.looked = st.epoch, time.Now()
	return another, nil
}

func (p *Presence) since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	another, err := p.isAnother(ctx)
	if err != nil {
		return nil, cursor, err
	}
	if another {
		cursor = 0
	}
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
