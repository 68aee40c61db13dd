package shard

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
)

// Options configure a [Manager]. The zero value works.
type Options struct {
	// Shards is how many shards there are at first. 0 means 1.
	Shards int

	// MaxPerShard is how many connections one shard holds. 0 means 2,500;
	// negative means no limit.
	MaxPerShard int

	// MaxShards lets the manager add shards by itself, one whenever all are full,
	// as long as it has fewer than this. 0 or negative means that it does not.
	// [Manager.Add] is not bound by it.
	MaxShards int

	// Grown, if set, is told of each shard that the manager added by itself. It
	// is called by the goroutine whose Assign needed the shard, before that
	// returns, without a lock held.
	Grown func(Change)
}

// Manager places connections on shards. A shard here is a limit and a number, not
// a worker: at most so many connections bear it. Each key prefers one shard, by
// the [Ring] of all of them, and gets it while it has room; then the next that it
// prefers, and so on. Shards are added and removed while it runs.
//
// The number of connections on a shard is never above the limit. All methods are
// safe for concurrent use.
type Manager struct {
	// Static after construction.
	maxPerShard int // 0 for no limit
	maxShards   int
	grown       func(Change)

	// changing is held by who adds or removes shards, and is taken before mu.
	changing sync.Mutex
	nextID   int // guarded by changing

	mu      sync.Mutex
	ring    *Ring            // its nodes are the shards that take connections; written under both locks
	members []*member        // those shards, in the ring's order; written under both locks
	leaving map[*member]bool // removed shards that still have connections; guarded by mu
	live    int              // connections on members; guarded by mu
	total   int              // connections; guarded by mu
	change  uint32           // how often the ring was changed; written under both locks
}

// member is one shard. Its manager and its ID are static, the rest is guarded by the manager's mu.
type member struct {
	manager *Manager
	id      int
	placed  []*Placement
	removed bool
}

// Count is the state of one shard.
type Count struct {
	Shard       int  // its ID
	Connections int  // how many are on it
	Removed     bool // it takes no more, and is forgotten when the last one is released
}

// NewManager returns a manager with shards 0 to n-1 and no connections. It panics
// if more than [MaxNodes] shards are asked for.
func NewManager(o Options) *Manager {
	m := &Manager{
		maxPerShard: o.MaxPerShard,
		maxShards:   min(o.MaxShards, MaxNodes),
		grown:       o.Grown,
		leaving:     map[*member]bool{},
		nextID:      max(o.Shards, 1),
	}
	if m.maxPerShard == 0 {
		m.maxPerShard = 2500
	}
	if m.nextID > MaxNodes {
		panic(fmt.Sprintf("shard: NewManager with %d shards, at most %d", m.nextID, MaxNodes))
	}
	ids := make([]int, m.nextID)
	for i := range ids {
		ids[i] = i
	}
	ring, err := NewRing(shardNodes(ids)...)
	if err != nil {
		panic(err) // the decimals of different numbers are different nodes
	}
	m.ring, m.members = ring, m.membersOf(ring)
	return m
}

// Assign places a connection by its key: a user's or session's ID, say. Keys need
// not differ; each call places one more connection, until its
// [Placement.Release]. The error is [ErrFull].
//
// It costs one lookup in the ring while the preferred shard has room, and a walk
// over all shards (2 to 5 ns each) when it spills over. If it adds a shard, that takes
// some milliseconds, in which others are still assigned as far as there is room.
func (m *Manager) Assign(key string) (*Placement, error) {
	p := &Placement{key: key}
	slot := slotOf(key)
	for {
		if m.place(p, slot) {
			return p, nil
		}
		if err := m.grow(); err != nil {
			return nil, err
		}
	}
}

// Total returns how many connections are placed, in constant time. It counts
// those on removed shards.
func (m *Manager) Total() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.total
}

// Counts returns the state of every shard, by ascending ID, all of one moment.
func (m *Manager) Counts() []Count {
	m.mu.Lock()
	counts := make([]Count, 0, len(m.members)+len(m.leaving))
	for _, s := range m.members {
		counts = append(counts, Count{Shard: s.id, Connections: len(s.placed)})
	}
	for s := range m.leaving {
		counts = append(counts, Count{Shard: s.id, Connections: len(s.placed), Removed: true})
	}
	m.mu.Unlock()
	slices.SortFunc(counts, func(a, b Count) int { return cmp.Compare(a.Shard, b.Shard) })
	return counts
}

// Ring returns the ring by which the manager places now; a node's ID is the
// shard's in decimal. With it, a change can be planned before it is made.
func (m *Manager) Ring() *Ring {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ring
}

// place puts p on the first shard that its slot prefers and that has room.
func (m *Manager) place(p *Placement, slot int) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.members[m.ring.owner[slot]]
	if !m.room(s) {
		if m.full() {
			return false
		}
		s = m.spill(slot)
	}
	p.shard, p.index, p.change = s, int32(len(s.placed)), m.change
	s.placed = append(s.placed, p)
	m.live++
	m.total++
	return true
}

// spill returns the shard that a slot prefers among those with room, of which
// there is one. It needs mu.
func (m *Manager) spill(slot int) *member {
	var best draw
	var to *member
	for node, s := range m.members {
		if !m.room(s) {
			continue
		}
		if d := m.ring.draw(node, slot); to == nil || d.beats(best) {
			best, to = d, s
		}
	}
	return to
}

func (m *Manager) room(s *member) bool {
	return m.maxPerShard < 0 || len(s.placed) < m.maxPerShard
}

// full says whether no shard has room. It needs mu.
func (m *Manager) full() bool {
	return m.maxPerShard > 0 && m.live == m.maxPerShard*len(m.members)
}
