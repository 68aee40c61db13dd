package main

import "time"

// options say what a cluster is like.
type options struct {
	nodes, clients int
	rate           int           // events a second
	lease          time.Duration // of a node
	drainRate      int           // sessions a second
	nats           string        // the server's URL; empty: one of its own
	url            string        // of the gateway, as clients know it: the proxy's
}
