package report

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, tt := range []struct {
		x    []float64
		want float64
	}{{[]float64{3, 1, 2}, 2}, {[]float64{4, 1, 2, 3}, 2.5}, {[]float64{7}, 7}} {
		if got := Median(tt.x); got != tt.want {
			t.Errorf("median of %v: %v, want %v", tt.x, got, tt.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("median of nothing: %v", got)
	}
	if got := Mean([]float64{1, 2, 6}); got != 3 {
		t.Errorf("mean %v", got)
	}
	if got := Percentile([]time.Duration{4, 1, 3, 2}, 0.99); got != 4 {
		t.Errorf("p99 %v", got)
	}
	if got := Percentile([]float64{4, 1, 3, 2}, 0.5); got != 3 {
		t.Errorf("p50 %v", got)
	}
	if got := round(2.61849); math.Abs(got-2.618) > 1e-9 {
		t.Errorf("rounded to %v", got)
	}
}

// The ranks are those of tables of the sign test, at 10 % on both sides together.
func TestIntervalRanks(t *testing.T) {
	for n, k := range map[int]int{5: 1, 7: 1, 8: 2, 9: 2, 10: 2, 11: 3, 15: 4, 20: 6, 25: 8} {
		x := make([]float64, n)
		for i := range x {
			x[i] = float64(i + 1)
		}
		rand.New(rand.NewPCG(1, 2)).Shuffle(n, func(i, j int) { x[i], x[j] = x[j], x[i] })
		low, high, ok := Interval(x)
		if !ok || low != float64(k) || high != float64(n+1-k) {
			t.Errorf("of 1 to %d: [%v, %v], want [%d, %d]", n, low, high, k, n+1-k)
		}
	}
	for n := range 5 {
		if low, high, ok := Interval(make([]float64, n)); ok || !math.IsNaN(low) || !math.IsNaN(high) {
			t.Errorf("of %d values: [%v, %v], want none", n, low, high)
		}
	}
}

// Drawn again and again, the interval holds the true median as often as it says.
func TestIntervalCovers(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	const draws = 4000
	for _, n := range []int{5, 9, 15} {
		held := 0
		for range draws {
			x := make([]float64, n)
			for i := range x {
				x[i] = rng.ExpFloat64() // skewed, as times are
			}
			if low, high, _ := Interval(x); low <= math.Ln2 && math.Ln2 <= high {
				held++
			}
		}
		if share := float64(held) / draws; share < 0.89 || share > 0.97 {
			t.Errorf("%d values: the median is in %.3f of the intervals, want 0.90 or a little more", n, share)
		}
	}
}

// A round that one server lacks counts for none, and no other takes its place.
func TestCompareGoesByRound(t *testing.T) {
	r := New("fanout")
	for round, speed := range []float64{1, 10, 3, 5, 2} { // the machine's, in this round
		if round != 1 {
			r.Add(round, "s", "cpu", "ours", 2*speed)
		}
		if round != 3 {
			r.Add(round, "s", "cpu", "limit", speed)
		}
	}
	c, ok := r.Compare("s", "cpu", "ours", "limit")
	if !ok || c.Ratio != 2 || c.Rounds != 3 || !math.IsNaN(c.Low) {
		t.Errorf("%+v, %v, want 2 from 3 rounds and no interval", c, ok)
	}
	for round := 5; round < 8; round++ {
		r.Add(round, "s", "cpu", "limit", 1)
		r.Add(round, "s", "cpu", "ours", float64(round))
	}
	if c, _ = r.Compare("s", "cpu", "ours", "limit"); c.Rounds != 6 || c.Low != 2 || c.High != 7 {
		t.Errorf("%+v, want [2, 7] from 6 rounds", c)
	}
	for _, other := range []string{"nobody", "idle"} {
		r.Add(0, "s", "cpu", "idle", 0)
		if c, ok := r.Compare("s", "cpu", "ours", other); ok {
			t.Errorf("compared with %s: %+v", other, c)
		}
	}
}

func example() *Results {
	r := New("fanout")
	for round := range 5 {
		r.Add(round, "1000x1", "cpu", "limit", 2)
		r.Add(round, "1000x1", "client_cpu", "limit", 1)
		r.Add(round, "1000x1", "cpu", "ours", 2.5+float64(round)/10)
	}
	r.Add(0, "1000x1", "writes", "ours", 1)
	r.Add(0, "1000x1", "writes", "limit", 2)
	r.Doubt("1000x1", "ours", "too short")
	r.Doubt("1000x1", "limit", "")
	return r
}

func TestJSON(t *testing.T) {
	var b bytes.Buffer
	example().JSON(&b, "limit", "centrifuge")
	const want = `{"bench":"fanout","scenario":"1000x1","server":"limit","metric":"cpu","value":2,"rounds":5,"vs_limit":1,"vs_limit_interval":[1,1]}
{"bench":"fanout","scenario":"1000x1","server":"limit","metric":"client_cpu","value":1,"rounds":5,"vs_limit":1,"vs_limit_interval":[1,1]}
{"bench":"fanout","scenario":"1000x1","server":"ours","metric":"cpu","value":2.7,"rounds":5,"doubt":"too short","vs_limit":1.35,"vs_limit_interval":[1.25,1.45]}
{"bench":"fanout","scenario":"1000x1","server":"ours","metric":"writes","value":1,"rounds":1,"doubt":"too short","vs_limit":0.5}
{"bench":"fanout","scenario":"1000x1","server":"limit","metric":"writes","value":2,"rounds":1,"vs_limit":1}
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	example().Table(&b, "limit")
	lines := strings.Split(b.String(), "\n")
	for _, want := range []string{
		"1000x1, cpu",
		"  limit                       2   (client 1)",
		"  ours                      2.7   1.35 × limit [1.25, 1.45]",
		"1000x1, writes",
		"  ours                        1   0.50 × limit (rounds: 1)",
		"in doubt: 1000x1, ours: too short",
	} {
		if !slices.Contains(lines, want) {
			t.Errorf("no line %q in\n%s", want, b.String())
		}
	}
}
