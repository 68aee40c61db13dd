package shard

import (
	"fmt"
	"slices"
	"strings"
)

// View is who the members are, as a [Roster] has it, and what each owns. It is immutable and safe
// for concurrent use: who asks twice of one View gets one answer.
type View struct {
	members []Member // sorted by ID
	ring    *Ring    // nil if there are none
}

// newView returns the view of members, which it keeps, sorted by ID. Errors are those of [NewRing], but for
// no members at all.
func newView(members []Member) (*View, error) {
	v := &View{members: members}
	if len(members) == 0 {
		return v, nil
	}
	nodes := make([]Node, len(members))
	for i, m := range members {
		nodes[i] = Node{m.ID, m.Weight}
	}
	var err error
	v.ring, err = NewRing(nodes...)
	return v, err
}

// Members returns a copy of the members, sorted by ID.
func (v *View) Members() []Member { return slices.Clone(v.members) }

// Ring returns the ring of the members' IDs and weights, for a [Plan] or a [Bounded]; nil if there
// are no members, which who is one does not see.
func (v *View) Ring() *Ring { return v.ring }

// Owner returns who owns key; the zero Member if there are none. It does not allocate.
func (v *View) Owner(key string) Member {
	if v.ring == nil {
		return Member{}
	}
	return v.members[v.ring.owner[slotOf(key)]] // the ring has them in the same order
}

// Servers returns the members that have an Addr, as the nodes of [NewNginxRing] and of package
// balancer: of these addresses, in the order of their IDs, the same for everybody who has this view.
// Of two members at one address, as when a process that died is back under another ID, one is named.
func (v *View) Servers() []Node {
	var nodes []Node
	taken := make(map[string]bool, len(v.members))
	for _, m := range v.members {
		if m.Addr != "" && !taken[m.Addr] {
			taken[m.Addr] = true
			nodes = append(nodes, Node{m.Addr, m.Weight})
		}
	}
	return nodes
}

// has reports whether a member of this ID is there.
func (v *View) has(id string) bool {
	_, ok := slices.BinarySearchFunc(v.members, id, func(m Member, id string) int { return strings.Compare(m.ID, id) })
	return ok
}

// check says what is wrong with a member.
func (m Member) check() error {
	if m.ID == "" || m.Weight < 0 || m.Weight > MaxWeight {
		return fmt.Errorf("%w: ID %q, weight %d", ErrInvalid, m.ID, m.Weight)
	}
	return nil
}
