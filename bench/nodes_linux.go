package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/proc"
	"github.com/gatehouse-go/gatehouse/bench/servers"
)

// perProcess is how many connections one process has: it may open 20,000 files.
const perProcess = 19_000

// node is a server and its clients, each in a process of its own.
type node struct {
	server *process
	crowd  *process
	n      int
	empty  servers.Stats
}

func (nd *node) tell(format string, args ...any) (c counts, err error) {
	text, err := nd.crowd.ask(format, args...)
	if err == nil {
		err = json.Unmarshal([]byte(text), &c)
	}
	if err == nil && c.Error != "" {
		err = fmt.Errorf("%s", c.Error)
	}
	return c, err
}

func (nd *node) stop() {
	if nd.crowd != nil {
		nd.crowd.stop()
	}
	nd.server.stop()
}

// nodes is a server on as many processes as n connections ask for.
type nodes []*node

func open(name string, n, topics int) (all nodes, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	for _, share := range split(n, perProcess) {
		nd := &node{n: share}
		if nd.server, err = start(name, topics); err != nil {
			return all, err
		}
		all = append(all, nd)
		if nd.empty, err = nd.server.stats(); err != nil {
			return all, err
		}
		if nd.crowd, err = launch("crowd", exec.Command(self, "crowd", name, nd.server.addr, strconv.Itoa(nd.n)), "GOMAXPROCS=1"); err != nil {
			return all, err
		}
	}
	return all, nil
}

// split divides n into as few parts as possible of at most so many, all of about
// the same size.
func split(n, atMost int) (parts []int) {
	count := (n + atMost - 1) / atMost
	for i := range count {
		parts = append(parts, n*(i+1)/count-n*i/count)
	}
	return parts
}

func (all nodes) stop() {
	var done sync.WaitGroup
	for _, nd := range all {
		done.Go(nd.stop)
	}
	done.Wait()
}

// connect connects two nodes at a time, as long as there is memory.
func (all nodes) connect() error {
	began := time.Now()
	for i, nd := range all {
		if free := memAvailable(); free < 1500<<20 {
			return fmt.Errorf("%d MB of memory are left after %d of %d nodes", free>>20, i, len(all))
		}
		if c, err := nd.tell("connect"); err != nil || c.Ready != nd.n {
			return fmt.Errorf("node %d: %d of %d are ready: %v", i, c.Ready, nd.n, err)
		}
		if len(all) > 4 && i%5 == 4 {
			progress("%d of %d nodes after %v", i+1, len(all), time.Since(began).Round(time.Second))
		}
	}
	return nil
}

// each asks all nodes at once.
func (all nodes) each(do func(nd *node) error) (err error) {
	var mu sync.Mutex
	var done sync.WaitGroup
	for _, nd := range all {
		done.Go(func() {
			if e := do(nd); e != nil {
				mu.Lock()
				err = e
				mu.Unlock()
			}
		})
	}
	done.Wait()
	return err
}

// used is what the servers use over what they used when they were empty.
func (all nodes) used() (rss, heapStack, cpu float64, goroutines int, err error) {
	for _, nd := range all {
		s, e := nd.server.stats()
		if e != nil {
			return 0, 0, 0, 0, e
		}
		rss += float64(s.RSS - nd.empty.RSS)
		heapStack += float64(s.Heap + s.Stack - nd.empty.Heap - nd.empty.Stack)
		cpu += s.CPU
		goroutines += s.Goroutines - nd.empty.Goroutines
	}
	return rss, heapStack, cpu, goroutines, nil
}

func memAvailable() int64 { return proc.Number("/proc/meminfo", "MemAvailable:") << 10 }
