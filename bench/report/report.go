package report

import (
	"maps"
	"math"
	"slices"
)

// Results are the figures of a benchmark, by round. Not safe for concurrent use.
type Results struct {
	bench   string
	keys    []key
	written int                     // of keys
	all     map[key]map[int]float64 // by round
	doubts  map[key]string          // by scenario and server
}

type key struct{ scenario, metric, server string }

// New returns the results of a benchmark, of which there are none so far.
func New(bench string) *Results {
	return &Results{bench: bench, all: map[key]map[int]float64{}, doubts: map[key]string{}}
}

// Add notes a figure of a round.
func (r *Results) Add(round int, scenario, metric, server string, v float64) {
	k := key{scenario, metric, server}
	if r.all[k] == nil {
		r.keys = append(r.keys, k)
		r.all[k] = map[int]float64{}
	}
	r.all[k][round] = v
}

// Doubt notes why a server's figures in a scenario should not be believed: it is
// told with them. An empty reason is none.
func (r *Results) Doubt(scenario, server, why string) {
	if why != "" {
		r.doubts[key{scenario: scenario, server: server}] = why
	}
}

// Value is the median of a figure, not a number if there is none.
func (r *Results) Value(scenario, metric, server string) float64 {
	return r.median(key{scenario, metric, server})
}

func (r *Results) median(k key) float64 { return Median(slices.Collect(maps.Values(r.all[k]))) }

// Comparison is one server's figure divided by another's, in the rounds that both
// have. Low and High are the 90 % interval of the ratio's median, see [Interval];
// both are not numbers below five rounds.
type Comparison struct {
	Ratio, Low, High float64 // the median, and its interval
	Rounds           int
}

// Compare divides round by round. ok is false when no round has both figures, or
// the other's is always 0.
func (r *Results) Compare(scenario, metric, server, other string) (c Comparison, ok bool) {
	others := r.all[key{scenario, metric, other}]
	var ratios []float64
	for round, v := range r.all[key{scenario, metric, server}] {
		if o := others[round]; o != 0 {
			ratios = append(ratios, v/o)
		}
	}
	c = Comparison{Ratio: Median(ratios), Rounds: len(ratios)}
	c.Low, c.High, _ = Interval(ratios)
	return c, len(ratios) > 0 && !math.IsNaN(c.Ratio)
}
