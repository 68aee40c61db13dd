package main

import (
	"errors"
	"os/exec"
	"time"

	"github.com/gatehouse-go/gatehouse/examples/sharded/nginx"
)

// options say what a cluster is like.
type options struct {
	nodes, clients int
	rate           int           // events a second
	lease          time.Duration // of a node
	drainRate      int           // sessions a second
	server         string        // the URL of the broker; empty: a NATS server of its own
	balancer       string        // balancerNginx; empty: a proxy of its own
	url            string        // of the gateway, as clients know it: the proxy's, or nginx'
	direct         bool          // clients connect to nodes themselves: a proxy has two descriptors for each
	program        string        // that nodes are from now on; empty: this one. Tests roll to another build
}

// balancerNginx has nginx stand before the nodes, which find each other, and are found by it, in a directory.
const balancerNginx = "nginx"

var errBalancer = errors.New("the balancer is nginx, or none: then it is a proxy of its own")

// check says what cannot be.
func (o options) check() error {
	switch o.balancer {
	case "":
		return nil
	case balancerNginx:
		if _, err := exec.LookPath("nginx"); err != nil {
			return nginx.ErrNotInstalled
		}
		return nil
	}
	return errBalancer
}

// drainWithin is how long a drain may take. A gateway that is to keep its rate takes no more than half of its time for
// that, and all clients may be at one node.
func (o options) drainWithin() time.Duration {
	return 15*time.Second + 2*time.Duration(o.clients)*time.Second/time.Duration(max(o.drainRate, 1))
}
