package main

import (
	"fmt"
	"slices"
	"strconv"
	"time"
)

// The states of a node.
const (
	alive    = "alive"
	draining = "draining"
	drained  = "drained"
	killed   = "killed"
	ended    = "ended" // by itself
)

// shownFor is for how long the page has a node that is gone.
const shownFor = 8 * time.Second

// node is a node as the cluster knows it. What follows after process is guarded by
// cluster.mu.
type node struct {
	id, generation int
	addr           string
	link           *link // its way to the broker
	process        *process

	state       string
	cut         bool
	connections int // through the proxy
	report      report
	rate        float64 // events delivered a second
	ended       time.Time
}

// add starts a node, and returns when it serves.
func (c *cluster) add() (*node, error) {
	c.mu.Lock()
	c.lastID++
	n := &node{id: c.lastID, generation: c.generation, state: alive}
	server := *c.server
	c.mu.Unlock()
	l, err := newLink(server.Host)
	if err != nil {
		return nil, err
	}
	n.link = l
	server.Host = l.addr()
	args := []string{roleNode, "-name", strconv.Itoa(n.id), "-server", server.String(), "-url", c.o.url,
		"-lease", c.o.lease.String(), "-drain-rate", strconv.Itoa(c.o.drainRate), "-drain-within", c.o.drainWithin().String()}
	if c.o.balancer != "" {
		args = append(args, "-balancer", c.o.balancer)
	}
	n.process, err = spawn(c.o.program, args...)
	if err != nil {
		l.close()
		return nil, err
	}
	var first listening
	if err := n.process.next(&first); err != nil {
		l.close()
		return nil, fmt.Errorf("node %d does not start: %w", n.id, err)
	}
	n.addr = first.Addr
	c.mu.Lock()
	c.nodes = append(c.nodes, n)
	c.mu.Unlock()
	c.say("node %d serves", n.id)
	go c.follow(n)
	return n, nil
}

// follow reads what a node says of itself until it has ended.
func (c *cluster) follow(n *node) {
	for {
		var r report
		err := n.process.next(&r)
		c.mu.Lock()
		if err == nil {
			now := float64(r.Delivered-n.report.Delivered) / reportEvery.Seconds()
			n.rate += (now - n.rate) / 4
			n.report = r
			c.mu.Unlock()
			continue
		}
		switch n.state {
		case draining:
			n.state = drained
		case alive:
			n.state = ended
		}
		n.ended, n.rate, n.report.Sessions = time.Now(), 0, 0
		state := n.state
		c.mu.Unlock()
		n.link.close()
		c.say("node %d is %s", n.id, state)
		return
	}
}

// drain has a node let go of its sessions, and returns when it has ended.
func (c *cluster) drain(id int) error {
	n, err := c.leave(id, draining)
	if err != nil {
		return err
	}
	c.say("node %d drains", id)
	n.process.terminate()
	<-n.process.over
	if err := n.process.err; err != nil {
		return fmt.Errorf("node %d drained: %w", id, err)
	}
	return nil
}

// kill ends a node with SIGKILL.
func (c *cluster) kill(id int) error {
	n, err := c.leave(id, killed)
	if err != nil {
		return err
	}
	n.process.kill()
	<-n.process.over
	return nil
}

// leave has a node get no connections any more.
func (c *cluster) leave(id int, state string) (*node, error) {
	n, err := c.find(id)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if n.state != alive {
		return nil, errNoNode
	}
	n.state = state
	return n, nil
}

// cut cuts a node off from the broker, or ends that.
func (c *cluster) cut(id int, off bool) error {
	n, err := c.find(id)
	if err != nil {
		return err
	}
	c.mu.Lock()
	n.cut = off
	c.mu.Unlock()
	n.link.set(off)
	if off {
		c.say("node %d is cut off from NATS", id)
	} else {
		c.say("node %d reaches NATS again", id)
	}
	return nil
}

// roll replaces every node by a new one, one after the other. The new ones are a
// generation, and get all connections from the first of them on: no client is sent to
// a node that will send it away again.
func (c *cluster) roll() error {
	c.mu.Lock()
	c.generation++
	c.mu.Unlock()
	for _, id := range c.living() {
		if _, err := c.add(); err != nil {
			return err
		}
		if err := c.drain(id); err != nil {
			return err
		}
	}
	return nil
}

// living are the nodes that live, oldest first.
func (c *cluster) living() (ids []int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, n := range c.nodes {
		if n.state == alive {
			ids = append(ids, n.id)
		}
	}
	return ids
}

// tidy forgets the nodes that are long gone. mu is held.
func (c *cluster) tidy() {
	c.nodes = slices.DeleteFunc(c.nodes, func(n *node) bool {
		return !n.ended.IsZero() && time.Since(n.ended) > shownFor
	})
}
