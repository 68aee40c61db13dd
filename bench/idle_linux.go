package main

import (
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/proc"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

func idle() error {
	names, err := choose([]string{"gatehouse", "gatehouse-poller", "centrifuge", "gws", "nbio", "gorilla", "melody", "coder"}, *only)
	if err != nil {
		return err
	}
	results := report.New("idle")
	failed := idleInto(results, orElse(*number, perProcess, 2000), orElse(*runs, 3, 1), names)
	show(results, "gatehouse", "centrifuge")
	return failed
}

// idleInto measures idle connections; those servers that do not say how much
// memory they have are left out.
func idleInto(results *report.Results, n, rounds int, names []string) error {
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool { return name == "limit" || name == "socketio" })
	return interleave(rounds, names, fmt.Sprintf("%d idle", n), func(round int, name string) error {
		return idleOnce(results, round, n, name)
	})
}

// slab is what the kernel holds in small pieces, sockets among them, for the whole
// machine.
func slab() int64 { return proc.Number("/proc/meminfo", "Slab:") << 10 }

// idleOnce holds n connections. The kernel's slab is read with servers and clients
// running but not connected, with all connected, and when all have ended: what it
// then has more than before was not the connections', or is not given back yet, and
// is told as drift.
func idleOnce(results *report.Results, round, n int, name string) error {
	all, err := open(name, n, 5)
	defer all.stop()
	if err != nil {
		return err
	}
	scenario, per := fmt.Sprint(n), float64(n)
	add := func(metric string, v float64) { results.Add(round, scenario, metric, name, v/per) }

	before := slab()
	if err := all.connect(); err != nil {
		return err
	}
	time.Sleep(orElse(*settle, 3*time.Second, time.Second))
	rss, _, _, goroutines, err := all.used()
	if err != nil {
		return err
	}
	during := slab()
	add("rss_per_session", rss)
	add("goroutines_per_session", float64(goroutines))
	if err := all.each(func(nd *node) error { _, err := nd.server.ask("collect"); return err }); err != nil {
		return err
	}
	_, heapStack, _, _, err := all.used()
	if err != nil {
		return err
	}
	add("heap_stack_per_session", heapStack)
	time.Sleep(2 * time.Second) // the scavenger's
	if rss, _, _, _, err = all.used(); err != nil {
		return err
	}
	add("rss_after_gc_per_session", rss)

	all.stop()
	time.Sleep(500 * time.Millisecond) // the kernel's, to free what is no longer used
	add("machine_slab_per_session", float64(during-before))
	add("machine_slab_drift_per_session", float64(slab()-before))
	return nil
}
