package main

import (
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/bench/report"
	"github.com/gatehouse-go/gatehouse/bench/servers"
)

func TestWindow(t *testing.T) {
	var w window
	w.add(servers.Stats{CPU: 1, Writes: 10, Mallocs: 100, GCs: 3}, servers.Stats{CPU: 1.5, Writes: 30, Mallocs: 160, GCs: 4, Workers: 7})
	if want := (window{cpu: 0.5, writes: 20, mallocs: 60, collections: 1, workers: 7}); w != want {
		t.Errorf("%+v, want %+v", w, want)
	}
}

func TestDoubt(t *testing.T) {
	for _, tt := range []struct {
		w    window
		want string // part of it; empty: none
	}{
		{window{cpu: 0.1, collections: 1}, "CPU"},
		{window{cpu: 1}, ""},
		{window{cpu: 1, took: time.Second, others: 1e6}, "not alone"},
		{window{cpu: 1, took: time.Second, others: -0.01}, ""},
		{window{cpu: 1, mallocs: 10 * manyMallocs}, "collection"},
		{window{cpu: 1, mallocs: 10 * manyMallocs, collections: 1}, ""},
	} {
		if got := tt.w.doubt(); (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%+v: %q, want %q", tt.w, got, tt.want)
		}
	}
}

// What is told of every measurement is told of this one.
func TestNote(t *testing.T) {
	r := report.New("test")
	s := &setup{name: "gatehouse"}
	s.note(r, 0, "1000x1", "cpu", window{cpu: 3, client: 2, workers: 5}, 2)
	for metric, want := range map[string]float64{"cpu": 1.5, "client_cpu": 1} {
		if got := r.Value("1000x1", metric, "gatehouse"); got != want {
			t.Errorf("%s: %v, want %v", metric, got, want)
		}
	}
	if got := r.Value("settings", "fan-out workers", "gatehouse"); got != 5 {
		t.Errorf("%v workers, want what the server said, 5", got)
	}
}

func TestEvents(t *testing.T) {
	for _, tt := range []struct {
		sc   scenario
		want int
	}{
		{scenario{subs: 1000, inFlight: 1, deliveries: 400_000}, 400},
		{scenario{subs: 1000, inFlight: 16, deliveries: 800_000}, 800},
		{scenario{subs: 1000, inFlight: 16, deliveries: 170_000}, 160},
		{scenario{subs: 1000, inFlight: 8, deliveries: 1000}, 8},
	} {
		if got := tt.sc.events(); got != tt.want {
			t.Errorf("%+v: %d events, want %d", tt.sc, got, tt.want)
		}
	}
}

func TestOrElse(t *testing.T) {
	defer func(was bool) { *quick = was }(*quick)
	*quick = false
	if got := orElse(0, 9, 2); got != 9 {
		t.Errorf("its own: %d", got)
	}
	*quick = true
	if got := orElse(0, 9, 2); got != 2 {
		t.Errorf("quick: %d", got)
	}
	if got := orElse(time.Hour, 9, 2); got != time.Hour {
		t.Errorf("given: %v", got)
	}
}
