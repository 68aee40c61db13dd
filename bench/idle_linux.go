package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
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
	processes := (n + perProcess - 1) / perProcess
	for i := range processes {
		nd := &node{n: n*(i+1)/processes - n*i/processes}
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

func memAvailable() int64 { return memInfo("MemAvailable:") }

func memInfo(key string) int64 {
	b, _ := os.ReadFile("/proc/meminfo")
	_, rest, _ := strings.Cut(string(b), key)
	f := strings.Fields(rest)
	if len(f) == 0 {
		return 0
	}
	kb, _ := strconv.ParseInt(f[0], 10, 64)
	return kb << 10
}

func idle() error {
	n := *number
	if n == 0 {
		n = perProcess
	}
	results := report.New("idle")
	names := chosen("gatehouse", "gatehouse-poller", "centrifuge", "gws", "nbio", "gorilla", "melody", "coder")
	failed := idleInto(results, n, names)
	if *asJSON {
		results.JSON(os.Stdout)
	} else {
		results.Table(os.Stdout, "gatehouse", "centrifuge")
	}
	return failed
}

func idleInto(results *report.Results, n int, names []string) (failed error) {
	for _, name := range names {
		if name == "limit" || name == "socketio" {
			continue
		}
		if err := idleOnce(results, n, name); err != nil {
			failed = errors.Join(failed, fmt.Errorf("idle, %s: %w", name, err))
		}
	}
	return failed
}

func idleOnce(results *report.Results, n int, name string) error {
	slab := memInfo("Slab:")
	all, err := open(name, n, 5)
	defer all.stop()
	if err != nil {
		return err
	}
	if err := all.connect(); err != nil {
		return err
	}
	wait := *settle
	if wait == 0 {
		wait = 3 * time.Second
	}
	time.Sleep(wait)
	scenario, per := fmt.Sprint(n), float64(n)
	rss, _, _, goroutines, err := all.used()
	if err != nil {
		return err
	}
	results.Add(scenario, "rss_per_session", name, rss/per)
	results.Add(scenario, "goroutines_per_session", name, float64(goroutines)/per)
	results.Add(scenario, "kernel_slab_per_session", name, float64(memInfo("Slab:")-slab)/per)
	if err := all.each(func(nd *node) error { _, err := nd.server.ask("gc"); return err }); err != nil {
		return err
	}
	_, heapStack, _, _, err := all.used()
	if err != nil {
		return err
	}
	results.Add(scenario, "heap_stack_per_session", name, heapStack/per)
	time.Sleep(2 * time.Second) // the scavenger's
	rss, _, _, _, err = all.used()
	results.Add(scenario, "rss_after_gc_per_session", name, rss/per)
	return err
}
