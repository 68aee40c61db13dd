package histogram

import (
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"
)

var start = time.Unix(1_000_000, 0)

// Every duration is in the bucket that its bounds say, and the buckets leave no gap.
func TestBuckets(t *testing.T) {
	var last time.Duration
	for i := range buckets {
		from, to := bounds(i)
		if from != last {
			t.Fatalf("bucket %d begins at %d, the one before ends at %d", i, from, last)
		}
		last = to
		if i == buckets-1 {
			to = math.MaxInt64
		}
		if index(from) != i || index(to-1) != i {
			t.Fatalf("bucket %d is [%d, %d), and these are in %d and %d", i, from, to, index(from), index(to-1))
		}
	}
	if from, _ := bounds(buckets - 1); from < 100*time.Second {
		t.Errorf("it ends at %v", from)
	}
}

// Quantiles are those of the sorted samples, within what is promised.
func TestQuantile(t *testing.T) {
	const promised = 0.032
	for seed := range uint64(50) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		var h Histogram
		var all []time.Duration
		var sum time.Duration
		for range 1 + rnd.IntN(2000) {
			// Evenly in the logarithm, from 1.1 µs to 100 s.
			d := time.Duration(math.Exp(math.Log(1100) + rnd.Float64()*(math.Log(1e11)-math.Log(1100))))
			h.Observe(d)
			all, sum = append(all, d), sum+d
		}
		slices.Sort(all)
		s := h.Total()
		if s.Count != uint64(len(all)) || s.Sum != sum || s.Mean() != sum/time.Duration(len(all)) {
			t.Fatalf("seed %d: %d with sum %v, want %d with %v", seed, s.Count, s.Sum, len(all), sum)
		}
		for _, q := range []float64{-1, 0, 0.001, 0.5, 0.9, 0.99, 0.999, 1, 2} {
			rank := min(max(int(math.Ceil(q*float64(len(all)))), 1), len(all))
			want, got := all[rank-1], s.Quantile(q)
			if off := math.Abs(float64(got-want)) / float64(want); off > promised {
				t.Errorf("seed %d: of %d the quantile %v is %v, want %v, %.1f %% off", seed, len(all), q, got, want, 100*off)
			}
		}
		at := all[rnd.IntN(len(all))]
		lowest, _ := bounds(index(at))
		want := slices.IndexFunc(all, func(d time.Duration) bool { return d >= lowest })
		if got := s.Below(at); got != uint64(want) {
			t.Errorf("seed %d: %d below %v, want %d", seed, got, at, want)
		}
	}
}

func TestEdges(t *testing.T) {
	var h Histogram
	if s := h.Total(); s.Count != 0 || s.Mean() != 0 || s.Quantile(0.5) != 0 || s.Below(time.Hour) != 0 {
		t.Errorf("nothing is %+v", s)
	}
	h.Observe(-time.Second)
	h.Observe(0)
	if s := h.Total(); s.Count != 2 || s.Sum != 0 || s.Quantile(1) >= 1024 {
		t.Errorf("two of no duration: count %d, sum %v, p100 %v", s.Count, s.Sum, s.Quantile(1))
	}
	h.Observe(time.Hour)
	if s := h.Total(); s.Quantile(1) != 1<<lastExp || s.Sum != time.Hour {
		t.Errorf("an hour is %v, sum %v", s.Quantile(1), s.Sum)
	}
}

// What is slow leaves the recent quantiles within 30 s, not before 25 s, and never the totals.
func TestWindow(t *testing.T) {
	for _, step := range []time.Duration{100 * time.Millisecond, time.Second, 5 * time.Second} {
		var h Histogram
		now := start
		h.Tick(now)
		for range 17 { // any phase within a slot
			now = now.Add(step)
			h.Tick(now)
		}
		h.Observe(time.Second)
		observed := now
		for h.Recent().Count == 1 {
			if age := now.Sub(observed); age > 30*time.Second {
				t.Fatalf("step %v: in the window after %v", step, age)
			}
			now = now.Add(step)
			h.Tick(now)
		}
		if age := now.Sub(observed); age < 25*time.Second {
			t.Errorf("step %v: out of the window after %v", step, age)
		}
		if s := h.Total(); s.Count != 1 || s.Sum != time.Second {
			t.Errorf("step %v: the total has %d, %v", step, s.Count, s.Sum)
		}
	}
}

func TestClock(t *testing.T) {
	tests := []struct {
		name  string
		moves []time.Duration // of the clock, between ticks
		want  uint64          // in the window at the end
	}{
		{"no tick at all", nil, 1},
		{"set back", []time.Duration{-time.Hour - time.Second}, 1},
		{"set back, then 24 s", []time.Duration{-time.Hour - time.Second, 24 * time.Second}, 1},
		{"set back, then 30 s", []time.Duration{-time.Hour - time.Second, 30 * time.Second}, 0},
		{"a long pause", []time.Duration{1000 * time.Hour}, 0},
		{"24 s late", []time.Duration{24 * time.Second}, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h Histogram
			now := start
			h.Tick(now)
			h.Observe(time.Millisecond)
			for _, d := range tt.moves {
				now = now.Add(d)
				h.Tick(now)
			}
			if got := h.Recent().Count; got != tt.want {
				t.Errorf("%d in the window, want %d", got, tt.want)
			}
			if got := h.Total().Count; got != 1 {
				t.Errorf("%d in total", got)
			}
		})
	}
}

// Nothing is lost or counted twice, however observing, ticking and reading meet.
func TestRace(t *testing.T) {
	const each = 20_000
	var h Histogram
	var observers, reader sync.WaitGroup
	done := make(chan struct{})
	reader.Go(func() {
		now, last := start, uint64(0)
		for {
			now = now.Add(3 * time.Second)
			h.Tick(now)
			if n := h.Total().Count; n < last {
				t.Errorf("the total went from %d to %d", last, n)
			} else {
				last = n
			}
			select {
			case <-done:
				return
			default:
			}
		}
	})
	for i := range 4 {
		observers.Go(func() {
			for j := range each {
				h.Observe(time.Duration(i*j) * time.Microsecond)
			}
		})
	}
	observers.Wait()
	close(done)
	reader.Wait()
	if s := h.Total(); s.Count != 4*each || s.Sum != (0+1+2+3)*each*(each-1)/2*time.Microsecond {
		t.Errorf("%d, sum %v", s.Count, s.Sum)
	}
}

func TestObserveDoesNotAllocate(t *testing.T) {
	var h Histogram
	if n := testing.AllocsPerRun(100, func() { h.Observe(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkObserve(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	for d := time.Duration(1); b.Loop(); d += 997 {
		h.Observe(d)
	}
}

func BenchmarkObserveParallel(b *testing.B) {
	var h Histogram
	b.RunParallel(func(pb *testing.PB) {
		for d := time.Duration(1); pb.Next(); d += 997 {
			h.Observe(d)
		}
	})
}

func BenchmarkRecent(b *testing.B) {
	var h Histogram
	b.ReportAllocs()
	for b.Loop() {
		h.Recent().Quantile(0.99)
	}
}
