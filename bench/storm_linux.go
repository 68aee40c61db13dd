package main

import (
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
)

// missed is how many events a session misses in a storm.
const missed = 20

// storm has all sessions of a process drop, miss events and resume at once, beside
// the same number of handshakes of plain package websocket, which had as many
// connections before.
func storm() error {
	names, err := choose([]string{"coder", "gatehouse", "gatehouse-poller"}, *only)
	if err != nil {
		return err
	}
	n := orElse(*number, 15_000, 3000)
	results := report.New("storm")
	failed := interleave(orElse(*runs, 9, 2), names, "storm", func(round int, name string) error {
		return stormOnce(results, round, name, n)
	})
	show(results, "coder")
	return failed
}

func stormOnce(results *report.Results, round int, name string, n int) error {
	s, err := setUp(name, n, 5)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.connect(); err != nil {
		return err
	}
	for _, cl := range s.crowd.Clients {
		cl.Drop()
	}
	time.Sleep(time.Second) // until it is noticed
	want := 0
	if name != "coder" {
		want = n * missed
		s.server.say("publish %d %d", missed, payload)
		time.Sleep(time.Second)
	}
	if _, err := s.server.ask("collect"); err != nil {
		return err
	}
	s.crowd.Events = 0
	w, err := s.measure(func() error { return s.crowd.Connect(time.Minute) })
	if err != nil {
		return err
	}
	if s.crowd.Events != want {
		return fmt.Errorf("%d of %d events came", s.crowd.Events, want)
	}
	scenario := fmt.Sprint(n)
	s.note(results, round, scenario, "cpu_us_per_resume", w, float64(n)/1e6)
	results.Add(round, scenario, "all_ms", name, ms(w.took))
	return nil
}
