package shard

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"
)

// MemoryDirectory is a [Directory] for nodes in one process, as in tests. Make it with
// [NewMemoryDirectory]; it is safe for concurrent use.
type MemoryDirectory struct {
	mu      sync.Mutex
	members map[string]lasting
}

// lasting is a member, and when its lease is over.
type lasting struct {
	Member
	until time.Time
}

// NewMemoryDirectory returns one that has no members.
func NewMemoryDirectory() *MemoryDirectory {
	return &MemoryDirectory{members: make(map[string]lasting)}
}

// Announce implements [Directory].
func (d *MemoryDirectory) Announce(ctx context.Context, m Member, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if lease > 0 {
		d.members[m.ID] = lasting{m, time.Now().Add(lease)}
	} else {
		delete(d.members, m.ID)
	}
	return nil
}

// Members implements [Directory].
func (d *MemoryDirectory) Members(ctx context.Context) ([]Member, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	var members []Member
	for id, m := range d.members {
		if !now.Before(m.until) {
			delete(d.members, id)
			continue
		}
		members = append(members, m.Member)
	}
	sortMembers(members)
	return members, nil
}

func sortMembers(members []Member) {
	slices.SortFunc(members, func(a, b Member) int { return strings.Compare(a.ID, b.ID) })
}
