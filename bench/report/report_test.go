package report

import (
	"bytes"
	"math"
	"testing"
	"time"
)

func TestMedianAndRatio(t *testing.T) {
	if m := Median([]float64{3, 1, 2}); m != 2 {
		t.Errorf("median %v", m)
	}
	if m := Median([]float64{4, 1, 2, 3}); m != 2.5 {
		t.Errorf("median %v", m)
	}
	m, low, high := Ratio([]float64{2, 4, 6}, []float64{1, 2, 3})
	if m != 2 || low != 2 || high != 2 {
		t.Errorf("ratio %v [%v, %v]", m, low, high)
	}
	m, low, high = Ratio([]float64{1, 2, 3, 4, 5}, []float64{1, 1, 1, 1, 1})
	if m != 3 || low >= m || high <= m {
		t.Errorf("ratio %v [%v, %v]", m, low, high)
	}
	if p := Percentile([]time.Duration{4, 1, 3, 2}, 0.99); p != 4 {
		t.Errorf("p99 %v", p)
	}
	if v := round(2.61849); math.Abs(v-2.618) > 1e-9 {
		t.Errorf("rounded to %v", v)
	}
}

func TestJSON(t *testing.T) {
	r := New("fanout")
	r.Add("1000x1", "cpu_s_per_million", "limit", 2)
	r.Add("1000x1", "cpu_s_per_million", "gatehouse", 2.5)
	var b bytes.Buffer
	r.JSON(&b)
	const want = `{"bench":"fanout","scenario":"1000x1","server":"limit","metric":"cpu_s_per_million","value":2,"vs_limit":1}
{"bench":"fanout","scenario":"1000x1","server":"gatehouse","metric":"cpu_s_per_million","value":2.5,"vs_limit":1.25}
`
	if b.String() != want {
		t.Errorf("%s", b.String())
	}
}
