package redis

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/presence"
)

// PresenceOptions configure a [Presence]. The zero value works.
type PresenceOptions struct {
	// Timeout is how long a call waits for Redis; 0: 5 s.
	Timeout time.Duration

	// Logger is told, once, that there are entries of a newer version: they are not seen here; nil: slog.Default.
	Logger *slog.Logger
}

// Presence is a presence.Store on Redis, in one slot of a cluster. A node renews one lease, whatever it has;
// a change is one entry, whatever topics its user is seen in; changes of one process that come while others
// are on their way go together. The leases are by the server's clock.
//
// It is safe for concurrent use. Make it with [NewPresence]; Close ends it.
type Presence struct {
	within time.Duration
	crew   *crew
	calls  gang
	keys   []string    // entries, order, owners, graves, leases, state
	newer  func(error) // says that there is an entry that cannot be read
}

var _ presence.Store = (*Presence)(nil)

// NewPresence returns the store that has this name, which has no braces: it panics otherwise. The client
// stays the caller's: close it after the Presence.
func NewPresence(client goredis.UniversalClient, name string, o PresenceOptions) *Presence {
	if name == "" || strings.ContainsAny(name, "{}") {
		panic(ErrName)
	}
	if o.Timeout <= 0 {
		o.Timeout = 5 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	p := &Presence{within: o.Timeout, crew: newCrew()}
	var told sync.Once
	p.newer = func(err error) {
		told.Do(func() {
			o.Logger.Warn("redis: presence that cannot be read is not seen", "presence", name, "error", err)
		})
	}
	p.calls = gang{client: client, crew: p.crew, within: o.Timeout}
	for _, what := range []string{"entries", "order", "owners", "graves", "leases", "state"} {
		p.keys = append(p.keys, presencePrefix+name+"}:"+what)
	}
	return p
}

func (p *Presence) do(ctx context.Context, c call) (any, error) {
	short, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	reply, err := p.calls.do(short, c)
	if err != nil {
		err = ended(ctx, err)
	}
	return reply, err
}

// Put is of presence.Store. Each entry is one script, and 256 of them are one round trip.
func (p *Presence) Put(ctx context.Context, entries ...presence.Entry) error {
	calls := make([]call, len(entries))
	for i, e := range entries {
		calls[i] = presencePutScript.call(p.keys, entryField(e), encodeEntry(e))
	}
	short, cancel := context.WithTimeout(ctx, p.within)
	defer cancel()
	if err := p.calls.doAll(short, calls); err != nil {
		return wrap("put presences", ended(ctx, err))
	}
	return ctx.Err() // of no entries
}

// Renew is of presence.Store.
func (p *Presence) Renew(ctx context.Context, node string, lease time.Duration) (known bool, err error) {
	reply, err := p.do(ctx, presenceRenewScript.call(p.keys[4:5], node, max(0, lease).Microseconds()))
	return reply == int64(1), wrap("renew a lease", err)
}

// entriesAtOnce is how many entries one script deals with: others wait for it meanwhile.
const entriesAtOnce = 500

// Sweep is of presence.Store. It hands over 500 entries in one step. After an error the node may have some of
// the first.
func (p *Presence) Sweep(ctx context.Context, node string) ([]presence.Entry, error) {
	var swept []presence.Entry
	for {
		reply, err := p.do(ctx, presenceSweepScript.call(p.keys, node, entriesAtOnce))
		if err != nil && len(swept) > 0 {
			return swept, nil // they are the node's; what is left is for the next Sweep
		}
		if err != nil {
			return nil, wrap("sweep", err)
		}
		all, _ := reply.([]any)
		for i := 1; i+1 < len(all); i += 2 {
			e, err := decodeEntry(all[i+1])
			if err != nil {
				p.newer(err)
				continue
			}
			swept = append(swept, e)
		}
		if len(all) == 0 || all[0] != int64(1) {
			return swept, nil
		}
	}
}

// Since is of presence.Store.
func (p *Presence) Since(ctx context.Context, cursor uint64) (changed []presence.Entry, next uint64, err error) {
	type key struct{ user, session string }
	at := make(map[key]int) // where each one's newest entry is: it may change while they are read
	for {
		keys := []string{p.keys[0], p.keys[1], p.keys[5]}
		reply, err := p.do(ctx, presenceSinceScript.call(keys, cursor, entriesAtOnce))
		if err != nil {
			return nil, cursor, wrap("read presence", err)
		}
		parts, _ := reply.([]any)
		if len(parts) != 3 {
			return nil, cursor, fmt.Errorf("redis: read presence: redis answers %v", reply)
		}
		last, _ := parts[0].(int64)
		fields, _ := parts[1].([]any)
		entries, _ := parts[2].([]any)
		for i := range min(len(fields), len(entries)) {
			e, err := decodeEntry(entries[i])
			if err != nil {
				p.newer(err)
				continue
			}
			at[key{e.User, e.Session}] = len(changed)
			changed = append(changed, e)
		}
		cursor = uint64(last)
		if len(fields) < entriesAtOnce {
			break
		}
	}
	newest := changed[:0]
	for i, e := range changed {
		if at[key{e.User, e.Session}] == i {
			newest = append(newest, e)
		}
	}
	return newest, cursor, nil
}

// Close ends the calls that are running. When Redis does not answer, it returns within 2 s.
func (p *Presence) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return wrap("close presence", p.crew.close(ctx))
}
