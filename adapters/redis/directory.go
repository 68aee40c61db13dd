package redis

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Directory is a shard.Directory on Redis: the members in one hash, and their leases, by the server's
// clock, in another key of its slot. Each call is one round trip.
//
// It is safe for concurrent use. Make it with [NewDirectory]; Close ends it.
type Directory struct {
	// Static after NewDirectory.
	client goredis.UniversalClient
	crew   *crew
	keys   []string // members, leases
}

var _ shard.Directory = (*Directory)(nil)

// NewDirectory returns the directory that has this name. The client stays the caller's: close it after the
// Directory. Only what NewDirectory does ends with ctx. Errors are [ErrName] and [ErrEvicts].
func NewDirectory(ctx context.Context, client goredis.UniversalClient, name string) (*Directory, error) {
	if name == "" || strings.ContainsAny(name, "{}") {
		return nil, ErrName
	}
	key := directoryPrefix + name + "}:"
	d := &Directory{client: client, crew: newCrew(), keys: []string{key + "members", key + "leases"}}
	if err := d.crew.run(ctx, func(ctx context.Context) error { return refuseEviction(ctx, client) }); err != nil {
		d.crew.stop()
		return nil, wrap("open a directory", err)
	}
	return d, nil
}

// Announce is of shard.Directory.
func (d *Directory) Announce(ctx context.Context, m shard.Member, lease time.Duration) error {
	said, err := json.Marshal(m)
	if err != nil {
		return wrap("announce a node", err)
	}
	ms := int64(0)
	if lease > 0 {
		ms = max(1, lease.Milliseconds())
	}
	_, err = d.crew.do(ctx, d.client, directoryAnnounceScript.call(d.keys, m.ID, said, ms))
	return wrap("announce a node", err)
}

// Members is of shard.Directory.
func (d *Directory) Members(ctx context.Context) ([]shard.Member, error) {
	calls, err := d.crew.do(ctx, d.client, directoryMembersScript.call(d.keys))
	if err != nil {
		return nil, wrap("read the nodes", err)
	}
	said, err := calls[0].StringSlice()
	if err != nil {
		return nil, wrap("read the nodes", err)
	}
	members := make([]shard.Member, len(said))
	for i := range said {
		if err := json.Unmarshal([]byte(said[i]), &members[i]); err != nil {
			return nil, fmt.Errorf("redis: read the nodes: redis has %q: %w", said[i], err)
		}
	}
	slices.SortFunc(members, func(a, b shard.Member) int { return strings.Compare(a.ID, b.ID) })
	return members, nil
}

// Close ends the calls that are running. When Redis does not answer, it returns within 2 s. It does not
// have anybody leave: see shard.Roster.
func (d *Directory) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return wrap("close a directory", d.crew.close(ctx))
}
