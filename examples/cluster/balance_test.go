package main

import (
	"testing"
)

// A connection goes to the node that has fewest, of the newest ones, and only when there is no
// other to one that is degraded.
func TestPick(t *testing.T) {
	for _, tt := range []struct {
		name  string
		nodes []*node
		want  int
	}{
		{"none", nil, 0},
		{"fewest", []*node{{id: 1, state: alive, connections: 2}, {id: 2, state: alive, connections: 1}}, 2},
		{"newest", []*node{{id: 1, state: alive}, {id: 2, state: alive, generation: 1, connections: 9}}, 2},
		{"draining", []*node{{id: 1, state: alive, connections: 9}, {id: 2, state: draining, generation: 1}}, 1},
		{"only one that is gone", []*node{{id: 1, state: killed}}, 0},
		{"away", []*node{{id: 1, state: alive, connections: 9}, {id: 2, state: alive, generation: 1, report: report{Away: true}}}, 1},
		{"all away", []*node{{id: 1, state: alive, report: report{Away: true}}}, 1},
	} {
		c := &cluster{nodes: tt.nodes}
		got := 0
		if n := c.pick(); n != nil {
			got = n.id
			if n.connections == 0 {
				t.Errorf("%s: it is not counted", tt.name)
			}
		}
		if got != tt.want {
			t.Errorf("%s: node %d, want %d", tt.name, got, tt.want)
		}
	}
}
