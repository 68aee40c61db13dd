package gatewaytest

import (
	"cmp"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func isConflated(e *stamped) bool { return e.event.Class == gateway.Conflate }

// precedence collects which events of a stream came before which, as sessions
// saw them. There must be one order that explains all.
type precedence struct {
	after map[*stamped][]*stamped
	all   []*stamped
	known map[*stamped]bool
}

// add notes that a session saw a, and b next.
func (p *precedence) add(a, b *stamped) {
	if p.after == nil {
		p.after, p.known = make(map[*stamped][]*stamped), make(map[*stamped]bool)
	}
	for _, e := range []*stamped{a, b} {
		if !p.known[e] {
			p.known[e] = true
			p.all = append(p.all, e)
		}
	}
	if !slices.Contains(p.after[a], b) {
		p.after[a] = append(p.after[a], b)
	}
}

// contradiction returns an event that would have to come before itself, or nil.
// What was published before something else counts as seen before it.
func (p *precedence) contradiction() *stamped {
	p.addPublished()
	waits := make(map[*stamped]int)
	for _, next := range p.after {
		for _, e := range next {
			waits[e]++
		}
	}
	var free []*stamped
	for _, e := range p.all {
		if waits[e] == 0 {
			free = append(free, e)
		}
	}
	placed := 0
	for len(free) > 0 {
		e := free[len(free)-1]
		free = free[:len(free)-1]
		placed++
		for _, next := range p.after[e] {
			if waits[next]--; waits[next] == 0 {
				free = append(free, next)
			}
		}
	}
	if placed == len(p.all) {
		return nil
	}
	for _, e := range p.all {
		if waits[e] > 0 {
			return e
		}
	}
	return nil
}

// addPublished adds what follows from the order of the publishes: for each
// event those before it that are not before one another.
func (p *precedence) addPublished() {
	byEnd := slices.SortedFunc(slices.Values(p.all), func(a, b *stamped) int { return cmp.Compare(a.ended, b.ended) })
	for _, e := range p.all {
		i, _ := slices.BinarySearchFunc(byEnd, e.began, func(x *stamped, t uint64) int { return cmp.Compare(x.ended, t) })
		latest := uint64(0)
		for i--; i >= 0 && byEnd[i].ended > latest; i-- {
			p.after[byEnd[i]] = append(p.after[byEnd[i]], e)
			latest = max(latest, byEnd[i].began)
		}
	}
}
