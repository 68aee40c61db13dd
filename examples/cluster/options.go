package main

import "time"

// options say what a cluster is like.
type options struct {
	nodes, clients int
	rate           int           // events a second
	lease          time.Duration // of a node
	drainRate      int           // sessions a second
	server         string        // the URL of the broker; empty: a NATS server of its own
	url            string        // of the gateway, as clients know it: the proxy's
	program        string        // that nodes are from now on; empty: this one. Tests roll to another build
}
