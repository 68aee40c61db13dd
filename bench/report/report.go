package report

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Median of what is not empty.
func Median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Percentile is the value below which a part p of all are; 0 if there are none.
func Percentile(d []time.Duration, p float64) time.Duration {
	if len(d) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(d))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

// Ratio is the median of a[i]/b[i], and the interval that holds 90 % of such
// medians when rounds are drawn anew (a bootstrap).
func Ratio(a, b []float64) (median, low, high float64) {
	n := min(len(a), len(b))
	if n == 0 {
		return math.NaN(), math.NaN(), math.NaN()
	}
	ratios := make([]float64, n)
	for i := range ratios {
		ratios[i] = a[i] / b[i]
	}
	rng := rand.New(rand.NewPCG(1, 2))
	draws := make([]float64, 1000)
	sample := make([]float64, n)
	for i := range draws {
		for j := range sample {
			sample[j] = ratios[rng.IntN(n)]
		}
		draws[i] = Median(sample)
	}
	slices.Sort(draws)
	return Median(ratios), draws[50], draws[949]
}

// Result is one figure of one server.
type Result struct {
	Bench        string   `json:"bench"`
	Scenario     string   `json:"scenario"`
	Server       string   `json:"server"`
	Metric       string   `json:"metric"`
	Value        float64  `json:"value"`
	VsLimit      *float64 `json:"vs_limit,omitempty"`
	VsCentrifuge *float64 `json:"vs_centrifuge,omitempty"`
}

// Results are figures by round, as they come.
type Results struct {
	bench string
	keys  []key
	all   map[key][]float64
}

type key struct{ scenario, metric, server string }

// New returns the results of a benchmark, of which there are none so far.
func New(bench string) *Results { return &Results{bench: bench, all: map[key][]float64{}} }

// Add notes a figure of the next round.
func (r *Results) Add(scenario, metric, server string, v float64) {
	k := key{scenario, metric, server}
	if r.all[k] == nil {
		r.keys = append(r.keys, k)
	}
	r.all[k] = append(r.all[k], v)
}

// JSON writes a line for each figure.
func (r *Results) JSON(w io.Writer) {
	enc := json.NewEncoder(w)
	for _, k := range r.keys {
		res := Result{Bench: r.bench, Scenario: k.scenario, Server: k.server, Metric: k.metric, Value: round(Median(r.all[k]))}
		res.VsLimit = r.against(k, "limit")
		res.VsCentrifuge = r.against(k, "centrifuge")
		enc.Encode(res)
	}
}

func (r *Results) against(k key, server string) *float64 {
	other := r.all[key{k.scenario, k.metric, server}]
	if len(other) == 0 || Median(other) == 0 {
		return nil
	}
	m, _, _ := Ratio(r.all[k], other)
	if m = round(m); math.IsNaN(m) || math.IsInf(m, 0) {
		return nil
	}
	return &m
}

// Table writes the figures of one scenario and metric: the median, and the ratio
// to each of the others that is there, with its interval.
func (r *Results) Table(w io.Writer, against ...string) {
	last := key{}
	for _, k := range r.grouped() {
		if k.scenario != last.scenario || k.metric != last.metric {
			fmt.Fprintf(w, "\n%s, %s\n", k.scenario, k.metric)
		}
		last = k
		fmt.Fprintf(w, "  %-18s %12.4g", k.server, Median(r.all[k]))
		for _, server := range against {
			if other := r.all[key{k.scenario, k.metric, server}]; len(other) > 0 {
				m, low, high := Ratio(r.all[k], other)
				fmt.Fprintf(w, "   %.2f × %s [%.2f, %.2f]", m, server, low, high)
			}
		}
		fmt.Fprintln(w)
	}
}

// grouped is the keys of one scenario and metric after the other, in the order in
// which each came first.
func (r *Results) grouped() (keys []key) {
	rank := map[key]int{}
	for _, k := range r.keys {
		k.server = ""
		if _, known := rank[k]; !known {
			rank[k] = len(rank)
		}
	}
	keys = slices.Clone(r.keys)
	slices.SortStableFunc(keys, func(a, b key) int {
		a.server, b.server = "", ""
		return rank[a] - rank[b]
	})
	return keys
}

func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	p := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*p) / p
}

// Value is the median of a figure, not a number if there is none.
func (r *Results) Value(scenario, metric, server string) float64 {
	return Median(r.all[key{scenario, metric, server}])
}
