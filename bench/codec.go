package main

import (
	"os"
	"slices"

	"github.com/gatehouse-go/gatehouse/bench/codecs"
	"github.com/gatehouse-go/gatehouse/bench/report"
)

// batches are how many events a message has: the scenarios.
var batches = []struct {
	name string
	size int
}{{"alone", 1}, {"in batches of 10", 10}, {"in batches of 50", 50}}

// codecsBench measures what events cost on the wire, and at both ends of it.
func codecsBench() error {
	all, err := codecs.All()
	if err != nil {
		return err
	}
	var names []string
	byName := map[string]codecs.Encoding{}
	for _, e := range all {
		names = append(names, e.Name)
		byName[e.Name] = e
	}
	if names, err = choose(names, *only); err != nil {
		return err
	}
	results, first := report.New("codec"), orElse(*number, 4000, 1000)
	for _, b := range batches {
		messages := codecs.Messages(first, b.size)
		for _, name := range names {
			if err := sizes(results, b.name, byName[name], messages); err != nil {
				return err
			}
		}
		if err := interleave(orElse(*runs, 9, 2), names, b.name, func(round int, name string) error {
			encode, decode, err := byName[name].CPU(messages, 0.02)
			results.Add(round, b.name, "encode_us", name, encode*1e6)
			results.Add(round, b.name, "decode_us", name, decode*1e6)
			return err
		}); err != nil {
			return err
		}
	}
	for _, name := range names {
		bytes, err := byName[name].Memory(codecs.Messages(min(first, 1000), 1))
		if err != nil {
			return err
		}
		results.Add(0, "connection", "memory_bytes", name, bytes)
	}
	if *asJSON {
		results.JSON(os.Stdout, "json")
		return nil
	}
	return codecTables(os.Stdout, results, names, types(codecs.Messages(first, 1)))
}

// sizes adds how many bytes an event takes, and how many for each byte of its JSON:
// of all of them together, at the median and the 90th percentile of messages, and
// of those alone by type.
func sizes(results *report.Results, scenario string, e codecs.Encoding, messages []codecs.Message) error {
	sent, err := e.Sizes(messages)
	if err != nil {
		return err
	}
	var bytes, ofJSON []float64
	type sum struct{ sent, json float64 }
	byType := map[string]sum{}
	var all sum
	for i, m := range messages {
		size, n := sent[i], float64(len(m.JSON))
		bytes, ofJSON = append(bytes, size/float64(m.Events)), append(ofJSON, size/n)
		all.sent, all.json = all.sent+size, all.json+n
		byType[m.Type] = sum{byType[m.Type].sent + size, byType[m.Type].json + n}
	}
	add := func(metric string, v float64) { results.Add(0, scenario, metric, e.Name, v) }
	add("bytes_mean", report.Mean(bytes))
	add("bytes_p50", report.Percentile(bytes, 0.5))
	add("bytes_p90", report.Percentile(bytes, 0.9))
	add("of_json_mean", all.sent/all.json)
	add("of_json_p90", report.Percentile(ofJSON, 0.9))
	for _, kind := range types(messages) {
		results.Add(0, kind, "of_json_mean", e.Name, byType[kind].sent/byType[kind].json)
	}
	return nil
}

// types are those of messages that are events alone, in the order of the alphabet.
func types(messages []codecs.Message) (all []string) {
	for _, m := range messages {
		if m.Type != "" {
			all = append(all, m.Type)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
