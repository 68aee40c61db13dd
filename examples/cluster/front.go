package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/gatehouse-go/gatehouse/examples/sharded/nginx"
	"github.com/gatehouse-go/gatehouse/shard"
	configs "github.com/gatehouse-go/gatehouse/shard/balancer"
)

// roleFront is the process that has nginx stand before the nodes. It knows of them by the directory alone.
const roleFront = "front"

// fronted is what nginx has from now on: the ids of the nodes.
type fronted struct {
	Nodes []string `json:"nodes"`
}

// runFront serves until who started it ends.
func runFront(args []string) error {
	flags := flag.NewFlagSet(roleFront, flag.ExitOnError)
	server := flags.String("server", "", "the URL of the broker")
	lease := flags.Duration("lease", 0, "for how long a node lives that says nothing")
	flags.Parse(args)
	orphan := orphaned()
	signal.Ignore(syscall.SIGTERM) // who ends all processes of a service at once ends this one by that, and nginx with it
	at, err := url.Parse(*server)
	if err != nil {
		return err
	}
	opening, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	d, closes, err := openDirectory(opening, at)
	if err != nil {
		return err
	}
	defer closes()
	addr, err := freeAddress()
	if err != nil {
		return err
	}
	n, err := nginx.New()
	if err != nil {
		return err
	}
	defer n.Close()
	failed := make(chan error, 1)
	var one sync.Mutex // the first configuration and a change
	use := func(ctx context.Context, v *shard.View) {
		one.Lock()
		defer one.Unlock()
		if err := front(ctx, n, addr, v); err != nil && ctx.Err() == nil {
			select {
			case failed <- err:
			default:
			}
		}
	}
	roster, err := shard.Join(opening, d, shard.RosterOptions{
		Lease:    *lease,
		Settle:   *lease / 2,
		OnChange: func(ctx context.Context, _, now *shard.View) { use(ctx, now) },
	})
	if err != nil {
		return err
	}
	defer roster.Leave(context.Background())
	say(listening{Addr: addr})
	use(opening, roster.View())
	select {
	case <-orphan:
		return nil
	case err := <-failed:
		return err
	case <-n.Ended():
		return n.Close() // which says why
	}
}

// front has nginx divide users between the members, if there are any.
func front(ctx context.Context, n *nginx.Process, addr string, v *shard.View) error {
	if len(v.Servers()) == 0 {
		return nil // better those that were than none
	}
	config, err := configs.Nginx(configs.Options{Nodes: v.Servers(), Listen: addr, Path: userPath})
	if err != nil {
		return err
	}
	if err := n.Use(ctx, config); err != nil {
		return err
	}
	var f fronted
	for _, m := range v.Members() {
		f.Nodes = append(f.Nodes, m.ID)
	}
	say(f)
	return nil
}

// freeAddress is one that nobody listens at.
func freeAddress() (string, error) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	return ln.Addr().String(), nil
}

// startFront starts nginx, which serves when there are nodes.
func (c *cluster) startFront() error {
	p, err := spawn("", roleFront, "-server", c.server.String(), "-lease", c.o.lease.String())
	if err != nil {
		return err
	}
	var first listening
	if err := p.next(&first); err != nil {
		return fmt.Errorf("nginx does not start: %w", err)
	}
	c.front = p
	c.o.url = "ws://" + first.Addr + "/gateway"
	go c.followFront()
	return nil
}

// followFront reads what nginx has until it has ended.
func (c *cluster) followFront() {
	for {
		var f fronted
		if c.front.next(&f) != nil {
			return
		}
		c.mu.Lock()
		c.fronted = f.Nodes
		c.mu.Unlock()
		c.say("nginx has %d nodes", len(f.Nodes))
	}
}

// awaitFront waits until nginx has so many nodes.
func (c *cluster) awaitFront(ctx context.Context, nodes int) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		c.mu.Lock()
		has := len(c.fronted)
		c.mu.Unlock()
		if has >= nodes {
			return nil
		}
		select {
		case <-tick.C:
		case <-c.front.over:
			return fmt.Errorf("nginx has ended: %w", c.front.err)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// stopFront ends nginx, if there is one.
func (c *cluster) stopFront() {
	if c.front != nil {
		c.front.stdin.Close()
		<-c.front.over
	}
}
