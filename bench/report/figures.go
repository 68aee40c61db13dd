package report

import (
	"math"
	"slices"
	"time"
)

// Median of what is not empty; not a number if it is.
func Median(x []float64) float64 {
	s := slices.Sorted(slices.Values(x))
	n := len(s)
	if n == 0 {
		return math.NaN()
	}
	return (s[(n-1)/2] + s[n/2]) / 2
}

// Mean of what is not empty; not a number if it is.
func Mean(x []float64) float64 {
	sum := 0.0
	for _, v := range x {
		sum += v
	}
	return sum / float64(len(x))
}

// Percentile is the value below which a part p of all are; zero if there are none.
func Percentile[T float64 | time.Duration](x []T, p float64) (v T) {
	if len(x) == 0 {
		return v
	}
	s := slices.Sorted(slices.Values(x))
	return s[min(len(s)-1, int(p*float64(len(s))))]
}

// Interval is the interval that holds the median of what x was drawn from with a
// probability of at least 90 %: from its k-th smallest to its k-th largest value,
// with the largest k at which the tails of n tosses of a coin allow that (the order
// statistics of the sign test). It assumes nothing about how the values scatter.
// ok is false below five values, of which not even all span so much.
func Interval(x []float64) (low, high float64, ok bool) {
	n := len(x)
	k, tail, one := 0, 0.0, math.Pow(0.5, float64(n)) // one: P(exactly k of n tosses)
	for tail+one <= 0.05 {
		tail += one
		one *= float64(n-k) / float64(k+1)
		k++
	}
	if k == 0 {
		return math.NaN(), math.NaN(), false
	}
	s := slices.Sorted(slices.Values(x))
	return s[k-1], s[n-k], true
}

// round keeps four digits.
func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	p := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(v))))
	return math.Round(v*p) / p
}
