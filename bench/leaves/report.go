package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"text/tabwriter"
)

func (s scenario) printTable(w io.Writer, figures []figure) error {
	to := best(figures)
	fmt.Fprintf(w, "\n%s (%d rounds)\n", s.title, len(to.rounds))
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "  who\tns\t90 %\tallocs\t× best other\t90 %\t")
	for _, f := range figures {
		ns, r := f.ns(), ratio(f, to)
		fmt.Fprintf(t, "  %s\t%.1f\t%.1f–%.1f\t%d\t%.2f\t%.2f–%.2f\t%s\n",
			f.name, ns.median, ns.low, ns.high, f.allocs, r.median, r.low, r.high, f.note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if v := s.verdict(figures[0]); v != "" {
		fmt.Fprintf(w, "  %s: target %.0f ns and no allocation\n", v, s.target)
	}
	return nil
}

// line is one figure, in the form that all benchmarks of the project print.
type line struct {
	Bench    string     `json:"bench"`
	Scenario string     `json:"scenario"`
	Server   string     `json:"server"`
	Metric   string     `json:"metric"`
	Value    float64    `json:"value"`
	Interval [2]float64 `json:"interval"`
	Allocs   int64      `json:"allocs"`
	VsBest   float64    `json:"vs_best"` // the best of the others
	VsRange  [2]float64 `json:"vs_best_interval"`
	Target   float64    `json:"target,omitempty"`
	Verdict  string     `json:"verdict,omitempty"`
}

func (s scenario) printJSON(w io.Writer, figures []figure) error {
	to := best(figures)
	out := json.NewEncoder(w)
	for i, f := range figures {
		ns, r := f.ns(), ratio(f, to)
		l := line{
			Bench: "leaves", Scenario: s.name, Server: f.name, Metric: "ns",
			Value: round(ns.median), Interval: [2]float64{round(ns.low), round(ns.high)}, Allocs: f.allocs,
			VsBest: round(r.median), VsRange: [2]float64{round(r.low), round(r.high)},
		}
		if i == 0 {
			l.Target, l.Verdict = s.target, s.verdict(f)
		}
		if err := out.Encode(l); err != nil {
			return err
		}
	}
	return nil
}

// round keeps two decimals.
func round(x float64) float64 { return math.Round(x*100) / 100 }
