package main

import (
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
)

// heartbeats measures a round trip at cold sessions, in the server's CPU, beside
// a server that reads and writes back.
func heartbeats() error {
	names, err := choose([]string{"echo", "gatehouse", "gatehouse-poller"}, *only)
	if err != nil {
		return err
	}
	n, over := orElse(*number, perProcess, 3000), orElse(0, 5*time.Second, 2*time.Second)
	results := report.New("heartbeats")
	failed := interleave(orElse(*runs, 9, 2), names, "heartbeats", func(round int, name string) error {
		return heartbeatsOnce(results, round, name, n, over)
	})
	show(results, "echo")
	return failed
}

func heartbeatsOnce(results *report.Results, round int, name string, n int, over time.Duration) error {
	s, err := setUp(name, n, 5)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.connect(); err != nil {
		return err
	}
	beat := func() error { return s.beat(over) }
	if err := s.warm(beat); err != nil {
		return err
	}
	w, err := s.measure(beat)
	if err != nil {
		return err
	}
	s.note(results, round, fmt.Sprint(n), "cpu_us_per_heartbeat", w, float64(s.crowd.Events+s.crowd.Acks)/1e6)
	return nil
}

// beat has every client send a heartbeat, spread over a while, and returns when
// all were answered. What they send besides, for it is time, counts as well.
func (s *setup) beat(over time.Duration) error {
	c := s.crowd
	c.Events, c.Acks = 0, 0
	c.BeatAll(over)
	for deadline := time.Now().Add(5 * time.Second); c.Events+c.Acks < len(c.Clients); {
		c.Step(10 * time.Millisecond)
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d were answered", c.Events+c.Acks, len(c.Clients))
		}
	}
	return nil
}
