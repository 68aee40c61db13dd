package main

import (
	"fmt"
	"io"
	"math"
	"text/tabwriter"

	"github.com/gatehouse-go/gatehouse/bench/messages"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// stageTable writes what each stage took, with a column for each way.
func stageTable(w io.Writer, r *report.Results, scenario string, ways []string) error {
	fmt.Fprintf(w, "\n%s: ms, p50 / p99 / p99.9; stages of a batch count for each of its messages; the last two are from when it was due, at the clients\n\n", scenario)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, way := range ways {
		fmt.Fprintf(t, "\t%s", way)
	}
	fmt.Fprintln(t)
	for _, stage := range append(messages.Names[:], "answer", "last delivery") {
		row(t, r, scenario, stage, ways, "%.3g")
	}
	row(t, r, scenario, "batch", ways, "%.0f")
	return t.Flush()
}

// row writes the percentiles of a stage, if it was there.
func row(w io.Writer, r *report.Results, scenario, stage string, ways []string, format string) {
	if math.IsNaN(r.Value(scenario, stage+"_p50", ways[0])) {
		return
	}
	fmt.Fprint(w, stage)
	for _, way := range ways {
		fmt.Fprintf(w, "\t"+format+" / "+format+" / "+format,
			r.Value(scenario, stage+"_p50", way), r.Value(scenario, stage+"_p99", way), r.Value(scenario, stage+"_p999", way))
	}
	fmt.Fprintln(w)
}
