package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
)

// openLoop publishes at half and at four fifths of the rate that is centrifuge's
// most, whoever keeps up, and takes latencies from when an event was due.
func openLoop(results *report.Results, names []string) (failed error) {
	const subs = 1000
	most := results.Value("1000x8", "deliveries_per_s", "centrifuge") / subs
	if !(most >= 2) {
		return fmt.Errorf("open loop: centrifuge's rate is not known")
	}
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return name != "centrifuge" && !strings.HasPrefix(name, "gatehouse")
	})
	for _, share := range []int{50, 80} {
		scenario, rate := fmt.Sprintf("1000 at %d %%", share), int(most)*share/100
		failed = errors.Join(failed, interleave(orElse(*runs, 9, 1), names, scenario, func(round int, name string) error {
			return openLoopOnce(results, round, scenario, name, subs, rate)
		}))
		show(results, "centrifuge")
	}
	return failed
}

func openLoopOnce(results *report.Results, round int, scenario, name string, subs, rate int) error {
	s, err := setUp(name, subs, 1)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.connect(); err != nil {
		return err
	}
	if err := s.warm(func() error { return s.publishAt(rate, orElse(0, 2*time.Second, time.Second)) }); err != nil {
		return err
	}
	w, err := s.measure(func() error { return s.publishAt(rate, orElse(0, 5*time.Second, 2*time.Second)) })
	if err != nil {
		return err
	}
	s.note(results, round, scenario, "cpu_s_per_million", w, float64(s.crowd.Events)/1e6)
	results.Add(round, scenario, "p50_ms", name, ms(report.Percentile(s.crowd.Latencies, 0.5)))
	results.Add(round, scenario, "p99_ms", name, ms(report.Percentile(s.crowd.Latencies, 0.99)))
	return nil
}

// publishAt has events published for a while, so many a second, and returns when
// all clients have all.
func (s *setup) publishAt(rate int, during time.Duration) error {
	c, events := s.crowd, max(1, int(float64(rate)*during.Seconds()))
	c.Events = 0
	s.server.say("rate %d %d %d", rate, events, payload)
	deadline := time.Now().Add(during + 20*time.Second)
	for c.Events < events*len(c.Clients) {
		c.Step(100 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d deliveries in time", c.Events, events*len(c.Clients))
		}
	}
	_, err := s.server.line() // that it is done
	return err
}
