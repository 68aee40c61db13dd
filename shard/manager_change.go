package shard

import (
	"fmt"
	"slices"
	"strconv"
)

// Change tells what adding or removing shards did. The manager itself moves no
// connection: the caller releases and assigns again those that it wants moved, at
// its own pace, or lets each stay until it ends.
type Change struct {
	Shards []int        // IDs of the shards added or removed
	Plan   *Plan        // which hashes prefer another shard than before
	Moved  []Relocation // connections placed before that should be elsewhere now
}

// Relocation is a connection that a change has made to prefer another shard, or
// whose shard was removed.
type Relocation struct {
	*Placement
	To int // ID of the shard that its key prefers now; Assign goes on from there if it is full
}

// Add adds n shards. They get the next IDs: the ID of a removed shard is never
// given again. The error is [ErrInvalid] if n is below 1, or [ErrTooMany], and
// then nothing has changed.
func (m *Manager) Add(n int) (Change, error) {
	m.changing.Lock()
	defer m.changing.Unlock()
	return m.add(n)
}

// Remove takes shards out of service. Their connections stay placed and counted
// until they are released, and all of them are in [Change.Moved]. The error is
// [ErrUnknown] if one of the shards is not in service, or [ErrEmpty] if none would
// be left, and then nothing has changed.
func (m *Manager) Remove(ids ...int) (Change, error) {
	names := make([]string, len(ids))
	for i, id := range ids {
		names[i] = strconv.Itoa(id)
	}
	m.changing.Lock()
	defer m.changing.Unlock()
	next, err := m.ring.Without(names...)
	if err != nil {
		return Change{}, err
	}
	changed := slices.Clone(ids)
	slices.Sort(changed)
	return m.use(next, slices.Compact(changed)), nil
}

// grow adds one shard if all are full and the options allow another; else it
// returns [ErrFull]. It returns nil also if there is room by now.
func (m *Manager) grow() error {
	if m.maxShards <= 0 {
		return ErrFull
	}
	c, err := m.growOne()
	if err == nil && c.Shards != nil && m.grown != nil {
		m.grown(c)
	}
	return err
}

func (m *Manager) growOne() (Change, error) {
	m.changing.Lock()
	defer m.changing.Unlock()
	m.mu.Lock()
	full := m.full()
	m.mu.Unlock()
	switch {
	case !full: // who held changing before has grown it, or a place was released
		return Change{}, nil
	case len(m.members) >= m.maxShards:
		return Change{}, ErrFull
	}
	return m.add(1)
}

// add needs changing.
func (m *Manager) add(n int) (Change, error) {
	if n < 1 {
		return Change{}, fmt.Errorf("%w: %d shards", ErrInvalid, n)
	}
	if n > MaxNodes-len(m.members) {
		return Change{}, fmt.Errorf("%w: %d more than %d", ErrTooMany, n, len(m.members))
	}
	ids := make([]int, n)
	for i := range ids {
		ids[i] = m.nextID + i
	}
	next, err := m.ring.With(shardNodes(ids)...)
	if err != nil {
		return Change{}, err
	}
	m.nextID += n
	return m.use(next, ids), nil
}

// use puts next in force and tells what that moves; changed are the shards added
// or removed. It needs changing, under which ring and members can be read, and
// nobody else writes them.
func (m *Manager) use(next *Ring, changed []int) Change {
	c := Change{Shards: changed, Plan: NewPlan(m.ring, next)}
	was := m.members

	m.mu.Lock()
	m.ring, m.members = next, m.membersOf(next)
	m.change++
	m.live = 0
	for _, s := range m.members {
		m.live += len(s.placed)
	}
	for _, s := range was {
		_, stays := next.index(strconv.Itoa(s.id))
		s.removed = !stays
		if s.removed && len(s.placed) > 0 {
			m.leaving[s] = true
		}
	}
	m.mu.Unlock()

	for _, s := range was { // one at a time, so that no Assign waits for all of it
		c.Moved = m.appendMoved(c.Moved, s, c.Plan)
	}
	return c
}

// appendMoved appends the connections of one shard that the last change moves.
func (m *Manager) appendMoved(dst []Relocation, s *member, plan *Plan) []Relocation {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range s.placed {
		if p.change == m.change { // placed since, by the new ring
			continue
		}
		slot := slotOf(p.key)
		to := m.members[m.ring.owner[slot]]
		if s.removed || to != s && plan.movesSlot(slot) {
			dst = append(dst, Relocation{Placement: p, To: to.id})
		}
	}
	return dst
}

// shardNodes returns the ring's nodes for shards.
func shardNodes(ids []int) []Node {
	nodes := make([]Node, len(ids))
	for i, id := range ids {
		nodes[i].ID = strconv.Itoa(id)
	}
	return nodes
}

// membersOf returns the members for the nodes of a ring, in its order: those that
// were, and new ones.
func (m *Manager) membersOf(ring *Ring) []*member {
	byName := make(map[string]*member, len(m.members))
	for _, s := range m.members {
		byName[strconv.Itoa(s.id)] = s
	}
	members := make([]*member, ring.Len())
	for i, n := range ring.nodes {
		if members[i] = byName[n.ID]; members[i] == nil {
			id, _ := strconv.Atoi(n.ID) // shardNodes made it
			members[i] = &member{manager: m, id: id}
		}
	}
	return members
}
