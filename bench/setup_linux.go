package main

import (
	"fmt"
	"runtime"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/load"
	"github.com/gatehouse-go/gatehouse/bench/proc"
	"github.com/gatehouse-go/gatehouse/bench/report"
	"github.com/gatehouse-go/gatehouse/bench/servers"
)

// setup is a server in a process of its own, and its clients in this one.
type setup struct {
	name   string
	server *process
	crowd  *load.Crowd
}

// setUp starts a server and n clients, which are not connected.
func setUp(name string, n, topics int) (*setup, error) {
	p, err := start(name, topics)
	if err != nil {
		return nil, err
	}
	c, err := load.New(p.addr, n, speaker(name))
	if err != nil {
		p.stop()
		return nil, err
	}
	return &setup{name, p, c}, nil
}

func (s *setup) close() {
	s.crowd.Close()
	s.server.stop()
}

// connect connects all clients, and has what that left behind collected: it is not
// to be paid for in what is measured next.
func (s *setup) connect() error {
	if err := s.crowd.Connect(time.Minute); err != nil {
		return err
	}
	_, err := s.server.ask("collect")
	return err
}

// warm does before a measurement what is done in it, and has it acknowledged, so
// that buffers, pools and rings have the size that they will have.
func (s *setup) warm(do func() error) error {
	if err := do(); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	if err := s.crowd.Acknowledge(10 * time.Second); err != nil {
		return fmt.Errorf("warming up: %w", err)
	}
	s.crowd.Latencies, s.crowd.Bytes = nil, 0
	return nil
}

// window is what the server, and the clients, used while something was done.
type window struct {
	took        time.Duration
	cpu, client float64 // seconds
	others      float64 // seconds of CPU that the rest of the machine used
	writes      int64   // system calls of the server
	mallocs     int64
	collections int64
	workers     int // of the server
}

func (s *setup) measure(do func() error) (w window, err error) {
	before, err := s.server.stats()
	if err != nil {
		return w, err
	}
	machine, client, began := proc.MachineCPU(), proc.CPU(), time.Now()
	if err := do(); err != nil {
		return w, err
	}
	w = window{took: time.Since(began), client: proc.CPU() - client}
	machine = proc.MachineCPU() - machine
	after, err := s.server.stats()
	if err != nil {
		return w, err
	}
	if s.crowd.Gaps > 0 || s.crowd.Closed > 0 || s.crowd.Refused > 0 {
		return w, fmt.Errorf("%d gaps, %d closed, %d refused", s.crowd.Gaps, s.crowd.Closed, s.crowd.Refused)
	}
	w.add(before, after)
	w.others = machine - w.cpu - w.client
	return w, nil
}

func (w *window) add(before, after servers.Stats) {
	w.cpu = after.CPU - before.CPU
	w.writes = after.Writes - before.Writes
	w.mallocs = after.Mallocs - before.Mallocs
	w.collections = after.GCs - before.GCs
	w.workers = after.Workers
}

const (
	leastCPU    = 0.2     // seconds of a server's, that are worth dividing by
	manyMallocs = 500_000 // that should have met a collection
	mostOthers  = 0.1     // of the machine, that others may use
)

// doubt is why a window should not be believed, or empty.
func (w window) doubt() string {
	switch {
	case w.cpu < leastCPU:
		return fmt.Sprintf("too short: less than %g s of CPU in a round", leastCPU)
	case w.others > mostOthers*w.took.Seconds()*float64(runtime.NumCPU()):
		return fmt.Sprintf("not alone: others used more than %.0f %% of the machine in a round", 100*mostOthers)
	case w.collections == 0 && w.mallocs > manyMallocs:
		return "too short: it allocates, and a round had no collection"
	}
	return ""
}

// note adds what every measurement tells: the CPU of both sides for per things of a
// name, the number of workers, and what is in doubt.
func (s *setup) note(results *report.Results, round int, scenario, metric string, w window, per float64) {
	results.Add(round, scenario, metric, s.name, w.cpu/per)
	results.Add(round, scenario, "client_"+metric, s.name, w.client/per)
	if w.workers > 0 {
		results.Add(round, "settings", "fan-out workers", s.name, float64(w.workers))
	}
	results.Doubt(scenario, s.name, w.doubt())
}
