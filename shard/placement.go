package shard

// Placement is one connection's place on a shard, from [Manager.Assign] until
// Release. Its methods are safe for concurrent use.
type Placement struct {
	key    string
	shard  *member
	change uint32 // the manager's when it was placed
	index  int32  // in shard.placed, guarded by the manager's mu; -1 once released
}

// Shard returns the ID of the shard. It does not change.
func (p *Placement) Shard() int { return p.shard.id }

// Key returns what was given to Assign.
func (p *Placement) Key() string { return p.key }

// Release gives the place back. Only the first call does anything.
func (p *Placement) Release() {
	s := p.shard
	m := s.manager
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.index < 0 {
		return
	}
	last := int32(len(s.placed) - 1)
	s.placed[p.index] = s.placed[last]
	s.placed[p.index].index = p.index
	s.placed[last] = nil
	s.placed = s.placed[:last]
	p.index = -1
	m.total--
	if !s.removed {
		m.live--
	} else if last == 0 {
		delete(m.leaving, s)
	}
}
