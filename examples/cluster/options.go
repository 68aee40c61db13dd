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
	direct         bool          // clients connect to nodes themselves: a proxy has two descriptors for each
}

// drainWithin is how long a drain may take. A gateway that is to keep its rate takes no more than half of its time for
// that, and all clients may be at one node.
func (o options) drainWithin() time.Duration {
	return 15*time.Second + 2*time.Duration(o.clients)*time.Second/time.Duration(max(o.drainRate, 1))
}
