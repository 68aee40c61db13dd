package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// result is one figure of one server. Behind it stand, for every server that it is
// compared with, "vs_NAME", the median of the ratios within a round, and
// "vs_NAME_interval", that median's 90 % interval if there were five rounds.
type result struct {
	Bench    string  `json:"bench"`
	Scenario string  `json:"scenario"`
	Server   string  `json:"server"`
	Metric   string  `json:"metric"`
	Value    float64 `json:"value"` // the median
	Rounds   int     `json:"rounds"`
	Doubt    string  `json:"doubt,omitempty"`
}

// fresh are the figures that have not been written yet, and are now.
func (r *Results) fresh() []key {
	keys := r.keys[r.written:]
	r.written = len(r.keys)
	return keys
}

// JSON writes a line for each figure that has not been written yet.
func (r *Results) JSON(w io.Writer, against ...string) {
	for _, k := range r.fresh() {
		line, err := json.Marshal(result{
			Bench: r.bench, Scenario: k.scenario, Server: k.server, Metric: k.metric,
			Value: round(r.median(k)), Rounds: len(r.all[k]), Doubt: r.doubts[key{scenario: k.scenario, server: k.server}],
		})
		if err != nil {
			continue // not a number: there is no figure
		}
		line = line[:len(line)-1]
		for _, other := range against {
			if c, ok := r.Compare(k.scenario, k.metric, k.server, other); ok {
				line = fmt.Appendf(line, `,"vs_%s":%v`, other, round(c.Ratio))
				if !math.IsNaN(c.Low) {
					line = fmt.Appendf(line, `,"vs_%s_interval":[%v,%v]`, other, round(c.Low), round(c.High))
				}
			}
		}
		fmt.Fprintf(w, "%s}\n", line)
	}
}

// clients is how a metric of the load client's begins: it is shown beside the
// server's metric of the rest of the name.
const clients = "client_"

// Table writes, for each scenario and metric, every server's median, and its ratio
// to each of the others that is there, as far as they have not been written yet.
// What is in doubt is told below.
func (r *Results) Table(w io.Writer, against ...string) {
	last, keys := key{}, r.fresh()
	for _, k := range grouped(keys) {
		if strings.HasPrefix(k.metric, clients) {
			continue
		}
		if k.scenario != last.scenario || k.metric != last.metric {
			fmt.Fprintf(w, "\n%s, %s\n", k.scenario, k.metric)
		}
		last = k
		fmt.Fprintf(w, "  %-18s %10.4g", k.server, r.median(k))
		if client := r.Value(k.scenario, clients+k.metric, k.server); !math.IsNaN(client) {
			fmt.Fprintf(w, "   (client %.4g)", client)
		}
		for _, other := range against {
			if c, ok := r.Compare(k.scenario, k.metric, k.server, other); ok && other != k.server {
				fmt.Fprintf(w, "   %.2f × %s %s", c.Ratio, other, c.trust())
			}
		}
		fmt.Fprintln(w)
	}
	fmt.Fprint(w, "\n× is the median of the ratios within a round; [from, to] is that median's 90 % interval, by order statistics (sign test), from five rounds on.\n")
	for _, k := range keys {
		pair := key{scenario: k.scenario, server: k.server}
		if why, doubted := r.doubts[pair]; doubted && k == r.first(pair) {
			fmt.Fprintf(w, "in doubt: %s, %s: %s\n", k.scenario, k.server, why)
		}
	}
}

// trust says how far a ratio can be believed.
func (c Comparison) trust() string {
	if math.IsNaN(c.Low) {
		return fmt.Sprintf("(rounds: %d)", c.Rounds)
	}
	return fmt.Sprintf("[%.2f, %.2f]", c.Low, c.High)
}

// first is the first figure of a scenario and server.
func (r *Results) first(pair key) key {
	return r.keys[slices.IndexFunc(r.keys, func(k key) bool { return k.scenario == pair.scenario && k.server == pair.server })]
}

// grouped is the keys of one scenario and metric after the other, in the order in
// which each came first.
func grouped(keys []key) []key {
	rank := map[key]int{}
	for _, k := range keys {
		k.server = ""
		if _, known := rank[k]; !known {
			rank[k] = len(rank)
		}
	}
	keys = slices.Clone(keys)
	slices.SortStableFunc(keys, func(a, b key) int {
		a.server, b.server = "", ""
		return rank[a] - rank[b]
	})
	return keys
}
