package nats

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Directory is a shard.Directory in JetStream; nodes share it by its name. Make it with [NewDirectory].
//
// Each node is one message, and its lease is over by the clock of the server that leads the stream, which
// forgets it soon after.
type Directory struct {
	table *table
}

var _ shard.Directory = (*Directory)(nil)

// NewDirectory opens the directory that has this name, and makes it if it is not there yet. The connection
// below js stays the caller's. Only what NewDirectory does ends with ctx.
func NewDirectory(ctx context.Context, js jetstream.JetStream, name string, o StoreOptions) (*Directory, error) {
	t, err := openTable(ctx, js, "nodes", name, o)
	if err != nil {
		return nil, err
	}
	return &Directory{t}, nil
}

// Close ends the calls that still run: they return gateway.ErrClosed, as all others do from then on. It takes 2 s
// at most. It does not have anybody leave: see shard.Roster.
func (d *Directory) Close() error { return d.table.end() }

// A node is a message of the version, the nanoseconds of its lease, and what is said of it in JSON; one that
// has left has a lease of 0.
const memberVersion = 1

var errMemberVersion = errors.New("the node is of a newer version, or none")

// Announce is of shard.Directory. It is one round trip.
func (d *Directory) Announce(ctx context.Context, m shard.Member, lease time.Duration) error {
	lease = max(0, lease)
	said, err := json.Marshal(m)
	if err != nil {
		return wrap("announce a node", err)
	}
	data := append(binary.AppendVarint([]byte{memberVersion}, int64(lease)), said...)
	return wrap("announce a node", d.table.call(ctx, func(ctx context.Context) error {
		_, err := d.table.write(ctx, leaseKey(m.ID), data, lease+time.Minute)
		return err
	}))
}

// Members is of shard.Directory. It is four round trips, for up to 500 nodes.
func (d *Directory) Members(ctx context.Context) ([]shard.Member, error) {
	var members []shard.Member
	err := d.table.call(ctx, func(ctx context.Context) (err error) {
		members, err = d.members(ctx)
		return err
	})
	if err != nil {
		return nil, wrap("read the nodes", err)
	}
	return members, nil
}

// members is Members. The time is asked first: a node that renews meanwhile is a member.
func (d *Directory) members(ctx context.Context) ([]shard.Member, error) {
	st, err := d.table.info(ctx)
	if err != nil {
		return nil, err
	}
	known := make(map[string]kept) // a key may come twice, the newest last
	if _, err := d.table.scan(ctx, "node.>", 1, func(k kept) { known[k.subject] = k }); err != nil {
		return nil, err
	}
	var members []shard.Member
	for _, k := range known {
		m, lease, err := decodeMember(k.data)
		if err != nil {
			return nil, err
		}
		if st.now.Before(k.at.Add(lease)) && lease > 0 {
			members = append(members, m)
		}
	}
	slices.SortFunc(members, func(a, b shard.Member) int { return strings.Compare(a.ID, b.ID) })
	return members, nil
}

func decodeMember(b []byte) (m shard.Member, lease time.Duration, err error) {
	if len(b) == 0 || b[0] != memberVersion {
		return m, 0, errMemberVersion
	}
	ns, n := binary.Varint(b[1:])
	if n <= 0 {
		return m, 0, errMemberVersion
	}
	return m, time.Duration(ns), json.Unmarshal(b[1+n:], &m)
}
