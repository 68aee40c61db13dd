package main

import (
	"math"
	"slices"
)

// view is what the page shows.
type view struct {
	Nodes     []nodeView   `json:"nodes"`
	Clients   []clientView `json:"clients"`
	Published uint64       `json:"published"`
	Counts    counts       `json:"counts"`
	Broker    string       `json:"broker"` // "alive", "killed", or "foreign"
	Log       []string     `json:"log"`    // oldest first
}

type nodeView struct {
	ID       int    `json:"id"`
	State    string `json:"state"`
	Cut      bool   `json:"cut"`
	Sessions int    `json:"sessions"`
	Rate     int    `json:"rate"` // events delivered a second
	Resumed  uint64 `json:"resumed"`
}

type clientView struct {
	Node      int  `json:"node"` // 0: nowhere
	Positions bool `json:"positions"`
}

func (c *cluster) view() view {
	v := view{Published: c.traffic.count(), Counts: c.crowd.count(c.traffic), Broker: killed}
	for _, cl := range c.crowd.clients {
		cl.mu.Lock()
		v.Clients = append(v.Clients, clientView{cl.node, cl.positions})
		cl.mu.Unlock()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.dir == "":
		v.Broker = "foreign"
	case c.broker != nil:
		v.Broker = alive
	}
	c.tidy()
	for _, n := range c.nodes {
		v.Nodes = append(v.Nodes, nodeView{n.id, n.state, n.cut, n.report.Sessions, int(math.Round(n.rate)), n.report.Resumed})
	}
	v.Log = slices.Clone(c.log)
	return v
}
