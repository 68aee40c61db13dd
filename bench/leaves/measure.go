package main

import (
	"runtime"
	"slices"
	"testing"
)

// figure is what one contestant took.
type figure struct {
	contestant
	rounds []float64 // ns per operation, in the order of the rounds
	allocs int64     // per operation, the least of the rounds: what else runs in the process allocates, too
}

// measure lets the contestants come one after the other in each round, and begins each round with another one.
func (s scenario) measure(rounds int) []figure {
	var figures []figure
	for _, c := range s.contestants() {
		figures = append(figures, figure{contestant: c, allocs: 1 << 40})
	}
	for round := range rounds {
		for i := range figures {
			f := &figures[(round+i)%len(figures)]
			runtime.GC() // nobody pays for what another one left
			r := testing.Benchmark(f.bench)
			f.rounds = append(f.rounds, float64(r.T.Nanoseconds())/float64(r.N))
			f.allocs = min(f.allocs, r.AllocsPerOp())
		}
	}
	return figures
}

// span is a median with the interval in which nine tenths of the values lie.
type span struct{ low, median, high float64 }

func spanOf(values []float64) span {
	sorted := slices.Sorted(slices.Values(values))
	last := len(sorted) - 1
	return span{sorted[(last+10)/20], (sorted[last/2] + sorted[(last+1)/2]) / 2, sorted[last-(last+10)/20]}
}

func (f figure) ns() span { return spanOf(f.rounds) }

// ratio compares two contestants round by round.
func ratio(f, to figure) span {
	values := make([]float64, len(f.rounds))
	for i := range values {
		values[i] = f.rounds[i] / to.rounds[i]
	}
	return spanOf(values)
}

// best is the fastest of the others: all but the first, which is ours.
func best(figures []figure) figure {
	return slices.MinFunc(figures[1:], func(a, b figure) int {
		if a.ns().median < b.ns().median {
			return -1
		}
		return 1
	})
}

// verdict says whether ours met its target: missed is when even the lower end of the interval is beyond it.
func (s scenario) verdict(ours figure) string {
	switch {
	case s.target == 0:
		return ""
	case ours.ns().low > s.target || ours.allocs > 0:
		return "MISS"
	}
	return "PASS"
}
