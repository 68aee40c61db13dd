package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"sync"
	"time"
)

// cluster is everything that runs: the broker, the nodes, who publishes and who
// listens.
type cluster struct {
	o         options
	dir       string   // of the broker's files; empty: it is somebody else's
	server    *url.URL // of the broker
	publisher publisher
	closes    func() // the publisher, and what it needs
	traffic   *traffic
	crowd     *crowd
	stop      context.CancelFunc // publishing and listening
	front     *process           // nginx; nil: there is none
	running   sync.WaitGroup

	mu         sync.Mutex
	broker     *process // nil: somebody else's, or killed
	fronted    []string // ids of the nodes that nginx has
	monitor    string   // of the broker
	nodes      []*node
	lastID     int
	generation int // of nodes: those of the newest one get new connections
	log        []string
}

var errNoNode = errors.New("there is no such node")

// start starts a cluster. ctx is for starting alone; close ends it.
func start(ctx context.Context, o options) (*cluster, error) {
	c := &cluster{o: o, traffic: newTraffic()}
	if err := c.open(ctx); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *cluster) open(ctx context.Context) (err error) {
	if err := c.o.check(); err != nil {
		return err
	}
	if c.o.server != "" {
		c.server, err = url.Parse(c.o.server)
	} else if c.dir, err = os.MkdirTemp("", "gatehouse-cluster-"); err == nil {
		err = c.startBroker()
	}
	if err != nil {
		return err
	}
	if c.publisher, c.closes, err = openPublisher(ctx, c.server); err != nil {
		return err
	}
	if c.o.balancer != "" {
		if err := c.startFront(); err != nil {
			return err
		}
	}
	for range c.o.nodes {
		if _, err := c.add(); err != nil {
			return err
		}
	}
	if c.front != nil {
		if err := c.awaitFront(ctx, c.o.nodes); err != nil {
			return err
		}
	}
	running, stop := context.WithCancel(context.Background())
	c.stop = stop
	c.crowd = newCrowd(c.o.url, c.o.clients)
	if c.o.direct {
		c.crowd.through(&http.Client{Transport: balancer{c}})
	}
	c.running.Go(func() { c.crowd.run(running) })
	return nil
}

// publish publishes until the returned function is called, which waits for what is
// under way.
func (c *cluster) publish() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.traffic.run(ctx, c.publisher, c.o.rate)
	}()
	return func() { cancel(); <-done }
}

// startBroker starts the NATS server, at the port that it had.
func (c *cluster) startBroker() error {
	args := []string{roleBroker, "-dir", c.dir}
	if c.server != nil {
		args = append(args, "-port", c.server.Port())
	}
	p, err := spawn("", args...)
	if err != nil {
		return err
	}
	var first listening
	if err := p.next(&first); err != nil {
		return fmt.Errorf("the NATS server does not start: %w", err)
	}
	go func() {
		for p.next(new(struct{})) == nil {
		}
	}()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.server, c.broker, c.monitor = &url.URL{Scheme: "nats", Host: first.Addr}, p, first.Monitor
	return nil
}

// killBroker kills the NATS server, if it is ours.
func (c *cluster) killBroker() {
	c.mu.Lock()
	p := c.broker
	c.broker = nil
	c.mu.Unlock()
	if p != nil {
		c.say("NATS is killed")
		p.kill()
		<-p.over
	}
}

// restartBroker starts it again where it was killed.
func (c *cluster) restartBroker() error {
	c.mu.Lock()
	alive := c.broker != nil || c.dir == ""
	c.mu.Unlock()
	if alive {
		return nil
	}
	c.say("NATS is back")
	return c.startBroker()
}

// say writes to the log that the page shows.
func (c *cluster) say(format string, args ...any) {
	line := time.Now().Format("15:04:05 ") + fmt.Sprintf(format, args...)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.log = append(c.log, line)
	c.log = c.log[max(0, len(c.log)-12):]
}

// find returns a node that lives.
func (c *cluster) find(id int) (*node, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.nodes, func(n *node) bool { return n.id == id && n.state == alive })
	if i < 0 {
		return nil, errNoNode
	}
	return c.nodes[i], nil
}

// close ends all that runs.
func (c *cluster) close() {
	if c.stop != nil {
		c.stop()
	}
	c.running.Wait()
	c.mu.Lock()
	nodes := slices.Clone(c.nodes)
	c.mu.Unlock()
	for _, n := range nodes {
		n.process.kill()
		<-n.process.over
		n.link.close()
	}
	c.stopFront()
	if c.closes != nil {
		c.closes()
	}
	c.killBroker()
	if c.dir != "" {
		os.RemoveAll(c.dir)
	}
}
