package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/gatehouse-go/gatehouse/bench/report"
)

// codecTables writes the encodings as rows, then the types of events.
func codecTables(w io.Writer, r *report.Results, names, types []string) error {
	fmt.Fprint(w, "bytes of an event: mean / median / 90th percentile; × JSON: of all bytes, and the 90th percentile of the messages' own ratios\n\n")
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprint(t, "encoding")
	for _, b := range batches {
		fmt.Fprintf(t, "\t%s\t× JSON", b.name)
	}
	fmt.Fprintln(t, "\tencode µs\tdecode µs\tKB for a connection")
	for _, name := range names {
		value := func(scenario, metric string) float64 { return r.Value(scenario, metric, name) }
		fmt.Fprint(t, name)
		for _, b := range batches {
			fmt.Fprintf(t, "\t%.0f / %.0f / %.0f\t%.2f, %.2f", value(b.name, "bytes_mean"), value(b.name, "bytes_p50"), value(b.name, "bytes_p90"),
				value(b.name, "of_json_mean"), value(b.name, "of_json_p90"))
		}
		for _, metric := range []string{"encode_us", "decode_us"} {
			var times []string
			for _, b := range batches {
				times = append(times, fmt.Sprintf("%.1f", value(b.name, metric)))
			}
			fmt.Fprintf(t, "\t%s", strings.Join(times, " / "))
		}
		fmt.Fprintf(t, "\t%.0f\n", value("connection", "memory_bytes")/1000)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprint(w, "\nencode, from JSON, and decode, to a Go value: processor time of an event alone / in batches of 10 / of 50. What has memory for a connection encodes once for each connection, the others once for all.\n\n")
	fmt.Fprintf(t, "× JSON, alone\t%s\n", strings.Join(names, "\t"))
	for _, kind := range types {
		fmt.Fprint(t, kind)
		for _, name := range names {
			fmt.Fprintf(t, "\t%.2f", r.Value(kind, "of_json_mean", name))
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
