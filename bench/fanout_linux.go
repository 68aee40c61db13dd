package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// scenario is so many subscribers and so many events in flight.
type scenario struct {
	name           string
	subs, inFlight int
	deliveries     int // of one round
}

// events is how many make up the deliveries, a multiple of those in flight.
func (sc scenario) events() int {
	return max(sc.deliveries/sc.subs/sc.inFlight, 1) * sc.inFlight
}

const payload = 128 // bytes of an event

func fanout() error {
	scenarios := []scenario{{"1000x1", 1000, 1, 400_000}, {"10000x1", 10_000, 1, 400_000}, {"1000x8", 1000, 8, 800_000}, {"1000x16", 1000, 16, 800_000}}
	if *quick {
		scenarios = []scenario{{"1000x1", 1000, 1, 100_000}, {"10000x1", 10_000, 1, 100_000}, {"1000x8", 1000, 8, 320_000}}
	}
	names := []string{"limit", "gatehouse", "gatehouse-poller", "centrifuge", "gws", "nbio", "gorilla", "melody", "coder"}
	if *only != "" || hasNode() {
		names = append(names, "socketio")
	}
	names, err := choose(names, *only)
	if err != nil {
		return err
	}
	results := report.New("fanout")
	var failed error // told at the end: the others are measured all the same
	for _, sc := range scenarios {
		failed = errors.Join(failed, interleave(orElse(*runs, 9, 2), names, sc.name, func(round int, name string) error {
			return fanoutOnce(results, sc, name, round)
		}))
		show(results, "limit", "centrifuge") // what has been measured is told, whatever comes
	}
	if slices.Contains(names, "centrifuge") {
		failed = errors.Join(failed, openLoop(results, names))
	}
	if *quick && *only == "" {
		failed = errors.Join(failed, idleInto(results, 2000, 1, names))
		show(results, "gatehouse", "centrifuge")
	}
	return failed
}

// hasNode reports whether Socket.IO can be measured, and says so if not.
func hasNode() bool {
	if _, err := exec.LookPath("node"); err != nil {
		progress("Socket.IO is left out: there is no node")
		return false
	}
	if _, err := os.Stat("servers/socketio/node_modules"); err != nil {
		progress("Socket.IO is left out: npm ci in bench/servers/socketio first")
		return false
	}
	return true
}

func fanoutOnce(results *report.Results, sc scenario, name string, round int) error {
	s, err := setUp(name, sc.subs, 1)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.connect(); err != nil {
		return err
	}
	all := func() error { return publish(s.server, s.crowd, sc) }
	if err := s.warm(all); err != nil {
		return err
	}
	if *profiles != "" && round == 0 {
		s.server.say("profile %s.%s.%s", *profiles, sc.name, name)
		defer s.server.ask("stop")
	}
	w, err := s.measure(all)
	if err != nil {
		return err
	}
	c, deliveries := s.crowd, float64(sc.events()*sc.subs)
	s.note(results, round, sc.name, "cpu_s_per_million", w, deliveries/1e6)
	results.Add(round, sc.name, "deliveries_per_s", name, deliveries/w.took.Seconds())
	results.Add(round, sc.name, "p50_ms", name, ms(report.Percentile(c.Latencies, 0.5)))
	results.Add(round, sc.name, "p99_ms", name, ms(report.Percentile(c.Latencies, 0.99)))
	results.Add(round, sc.name, "p999_ms", name, ms(report.Percentile(c.Latencies, 0.999)))
	results.Add(round, sc.name, "bytes_per_delivery", name, float64(c.Bytes)/deliveries)
	if name != "socketio" {
		results.Add(round, sc.name, "writes_per_delivery", name, float64(w.writes)/deliveries)
		results.Add(round, sc.name, "allocs_per_delivery", name, float64(w.mallocs)/deliveries)
		results.Add(round, sc.name, "collections", name, float64(w.collections))
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// publish has a scenario's events published, the next when all clients have those
// before, and returns when all have all.
func publish(p *process, c *load.Crowd, sc scenario) error {
	c.Events = 0
	events, deadline := sc.events(), time.Now().Add(time.Minute)
	for sent := 0; c.Events < events*sc.subs; {
		if c.Events >= sent*sc.subs && sent < events {
			p.say("publish %d %d", sc.inFlight, payload)
			sent += sc.inFlight
		}
		c.Step(100 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d deliveries within a minute, %d connections were closed", c.Events, events*sc.subs, c.Closed)
		}
	}
	return nil
}
