package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
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

const payload = 128 // bytes of an event

func fanout() error {
	scenarios := []scenario{{"1000x1", 1000, 1, 400_000}, {"10000x1", 10_000, 1, 400_000}, {"1000x8", 1000, 8, 800_000}, {"1000x16", 1000, 16, 800_000}}
	if *quick {
		scenarios = []scenario{{"1000x1", 1000, 1, 100_000}, {"10000x1", 10_000, 1, 100_000}, {"1000x8", 1000, 8, 160_000}}
	}
	names := chosen("limit", "gatehouse", "gatehouse-poller", "centrifuge", "gws", "nbio", "gorilla", "melody", "coder")
	if *only == "" && hasNode() {
		names = append(names, "socketio")
	}
	results := report.New("fanout")
	var failed error // told at the end: the others are measured all the same
	for _, sc := range scenarios {
		for round := range *rounds {
			for i := range names {
				name := names[(i+round)%len(names)] // in another order each time
				if err := fanoutOnce(results, sc, name, round); err != nil {
					failed = errors.Join(failed, fmt.Errorf("%s, %s: %w", sc.name, name, err))
				}
			}
			progress("%s: round %d of %d", sc.name, round+1, *rounds)
		}
	}
	if *only == "" {
		if err := openLoop(results); err != nil {
			failed = errors.Join(failed, fmt.Errorf("open loop: %w", err))
		}
		if *quick {
			if err := idleInto(results, 2000, names); err != nil {
				failed = errors.Join(failed, err)
			}
		}
	}
	if *asJSON {
		results.JSON(os.Stdout)
	} else {
		results.Table(os.Stdout, "limit", "centrifuge")
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
	p, err := start(name, 1)
	if err != nil {
		return err
	}
	defer p.stop()
	c, err := load.New(p.addr, sc.subs, speaker(name))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Connect(time.Minute); err != nil {
		return err
	}
	events := max(sc.deliveries/sc.subs, sc.inFlight) / sc.inFlight * sc.inFlight
	if err := publish(p, c, sc, max(sc.inFlight, events/10/sc.inFlight*sc.inFlight)); err != nil {
		return err
	}
	c.Latencies, c.Bytes = nil, 0
	if *profiles != "" && round == 0 {
		p.say("profile %s.%s.%s", *profiles, sc.name, name)
		defer p.ask("stop")
	}
	before, err := p.stats()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := publish(p, c, sc, events); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := p.stats()
	if err != nil {
		return err
	}
	if c.Gaps > 0 || c.Closed > 0 {
		return fmt.Errorf("%d gaps, %d closed", c.Gaps, c.Closed)
	}
	deliveries := float64(events * sc.subs)
	results.Add(sc.name, "cpu_s_per_million", name, (after.CPU-before.CPU)/deliveries*1e6)
	results.Add(sc.name, "deliveries_per_s", name, deliveries/took.Seconds())
	results.Add(sc.name, "p50_ms", name, ms(report.Percentile(c.Latencies, 0.5)))
	results.Add(sc.name, "p99_ms", name, ms(report.Percentile(c.Latencies, 0.99)))
	results.Add(sc.name, "p999_ms", name, ms(report.Percentile(c.Latencies, 0.999)))
	results.Add(sc.name, "bytes_per_delivery", name, float64(c.Bytes)/deliveries)
	if name != "socketio" {
		results.Add(sc.name, "writes_per_delivery", name, float64(after.Writes-before.Writes)/deliveries)
		results.Add(sc.name, "allocs_per_delivery", name, float64(after.Mallocs-before.Mallocs)/deliveries)
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// publish has so many events published, the next when all have those before, and
// returns when all have all.
func publish(p *process, c *load.Crowd, sc scenario, events int) error {
	c.Events = 0
	deadline := time.Now().Add(time.Minute)
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

// openLoop publishes at half and at four fifths of the rate that is centrifuge's
// most, whoever keeps up, and takes latencies from when an event was due.
func openLoop(results *report.Results) error {
	const subs = 1000
	most := results.Value("1000x8", "deliveries_per_s", "centrifuge") / subs
	if !(most > 0) {
		return fmt.Errorf("centrifuge's rate is not known")
	}
	seconds := 5
	if *quick {
		seconds = 2
	}
	for _, share := range []int{50, 80} {
		rate := int(most) * share / 100
		for range *rounds {
			for _, name := range []string{"centrifuge", "gatehouse", "gatehouse-poller"} {
				if err := openLoopOnce(results, fmt.Sprintf("1000 at %d %%", share), name, subs, rate, rate*seconds); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

func openLoopOnce(results *report.Results, scenario, name string, subs, rate, events int) error {
	p, err := start(name, 1)
	if err != nil {
		return err
	}
	defer p.stop()
	c, err := load.New(p.addr, subs, speaker(name))
	if err != nil {
		return err
	}
	defer c.Close()
	if err := c.Connect(time.Minute); err != nil {
		return err
	}
	p.say("rate %d %d %d", rate, events, payload)
	deadline := time.Now().Add(time.Duration(events/rate+20) * time.Second)
	for c.Events < events*subs {
		c.Step(100 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d deliveries in time", c.Events, events*subs)
		}
	}
	if c.Gaps > 0 || c.Closed > 0 {
		return fmt.Errorf("%d gaps, %d closed", c.Gaps, c.Closed)
	}
	results.Add(scenario, "p99_ms", name, ms(report.Percentile(c.Latencies, 0.99)))
	return nil
}
