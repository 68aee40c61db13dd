package gateway

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// take is Take for tests that expect no error.
func take(t *testing.T, l Limiter, key string, rate Rate, n int) time.Duration {
	t.Helper()
	wait, err := l.Take(t.Context(), key, rate, n)
	if err != nil {
		t.Fatal(err)
	}
	return wait
}

func TestLimiterTake(t *testing.T) {
	const s = time.Second
	type step struct {
		after time.Duration // the one before
		n     int
		want  time.Duration
	}
	tests := []struct {
		name  string
		rate  Rate
		steps []step
	}{
		{"one by one", Rate{3, 3 * s}, []step{{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 1, s}, {0, 1, s}}},
		{"all at once", Rate{3, 3 * s}, []step{{0, 3, 0}, {0, 3, 3 * s}, {0, 1, s}}},
		{"all or none", Rate{3, 3 * s}, []step{{0, 2, 0}, {0, 2, s}, {0, 1, 0}}},
		{"comes back evenly", Rate{3, 3 * s}, []step{{0, 3, 0}, {s, 1, 0}, {0, 1, s}, {s / 2, 1, s / 2}, {s / 2, 1, 0}}},
		{"after what it says", Rate{3, 3 * s}, []step{{0, 3, 0}, {s - 1, 1, 1}, {1, 1, 0}}},
		{"never above Burst", Rate{3, 3 * s}, []step{{0, 3, 0}, {1000 * s, 3, 0}, {0, 1, s}}},
		{"does not divide", Rate{3, 10}, []step{{0, 1, 0}, {0, 1, 0}, {0, 1, 0}, {0, 3, 9}}},
		{"one", Rate{1, s}, []step{{0, 1, 0}, {s - 1, 1, 1}, {1, 1, 0}}},
		{"as large as can be", Rate{math.MaxInt, math.MaxInt64 / 4}, []step{{0, math.MaxInt, 0}, {0, 1, 0}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := NewMemoryLimiter()
				for i, st := range tt.steps {
					time.Sleep(st.after)
					if got := take(t, l, "k", tt.rate, st.n); got != st.want {
						t.Errorf("step %d: %v, want %v", i, got, st.want)
					}
				}
			})
		})
	}
}

// The limiter against a bucket whose tokens are counted one by one, in nanoseconds of a token.
func TestLimiterModel(t *testing.T) {
	for seed := range uint64(200) {
		synctest.Test(t, func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			token := time.Duration(1 + rnd.IntN(1000))
			rate := Rate{Burst: 1 + rnd.IntN(20)}
			rate.Per = time.Duration(rate.Burst) * token
			l := NewMemoryLimiter()
			level := rate.Per
			for i := range 200 {
				pause := time.Duration(rnd.Int64N(int64(3 * token)))
				time.Sleep(pause)
				level = min(level+pause, rate.Per)
				n := 1 + rnd.IntN(rate.Burst)
				want := max(time.Duration(n)*token-level, 0)
				if got := take(t, l, "k", rate, n); got != want {
					t.Fatalf("seed %d, step %d: %v, want %v", seed, i, got, want)
				}
				if want == 0 {
					level -= time.Duration(n) * token
				}
			}
		})
	}
}

func TestLimiterKeysAndRates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter()
		hour, second := Rate{1, time.Hour}, Rate{2, time.Second}
		for _, key := range []string{"a", "b", "", "\x00", "\xff"} {
			if wait := take(t, l, key, hour, 1); wait != 0 {
				t.Errorf("%q finds its bucket empty", key)
			}
		}
		if wait := take(t, l, "a", second, 1); wait != time.Second/2 {
			t.Errorf("a quicker rate for an empty bucket: %v", wait)
		}
		time.Sleep(time.Second)
		if wait := take(t, l, "b", hour, 1); wait != time.Hour-time.Second {
			t.Errorf("the slow rate: %v", wait)
		}
	})
}

func TestLimiterRefuses(t *testing.T) {
	l := NewMemoryLimiter()
	tests := []struct {
		name string
		rate Rate
		n    int
	}{
		{"more than fits", Rate{5, time.Second}, 6},
		{"none", Rate{5, time.Second}, 0},
		{"less than none", Rate{5, time.Second}, -1},
		{"no burst", Rate{0, time.Second}, 1},
		{"no time", Rate{5, 0}, 1},
		{"no time at all", Rate{5, -1}, 1},
	}
	for _, tt := range tests {
		if _, err := l.Take(t.Context(), "k", tt.rate, tt.n); !errors.Is(err, ErrRate) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Take(ctx, "k", Rate{1, time.Hour}, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that has ended: %v", err)
	}
	if wait := take(t, l, "k", Rate{1, time.Hour}, 1); wait != 0 {
		t.Error("what was refused took something")
	}
}

func TestLimiterRace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter()
		var taken atomic.Int64
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				for range 100 {
					if wait, err := l.Take(t.Context(), "k", Rate{500, time.Hour}, 1); wait == 0 && err == nil {
						taken.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if n := taken.Load(); n != 500 {
			t.Errorf("%d tokens of 500 were taken", n)
		}
	})
}

// held is how many buckets are kept, after a look at whether they can be found.
func (l *MemoryLimiter) held(t *testing.T) (n, room int) {
	t.Helper()
	for i := range l.shards {
		s := &l.shards[i]
		n, room = n+len(s.buckets), room+cap(s.buckets)
		if len(s.index) != len(s.buckets) {
			t.Fatalf("%d in the index for %d buckets", len(s.index), len(s.buckets))
		}
		for j, b := range s.buckets {
			if at, ok := s.index[b.key]; !ok || at != j {
				t.Fatalf("%q is at %d, by the index at %d", b.key, j, at)
			}
		}
	}
	return n, room
}

// Under a storm of distinct keys, those whose buckets are full again are
// forgotten, and so is the memory for them when it is over.
func TestLimiterForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewMemoryLimiter()
		const live = 5000 // keys whose buckets are not full at a time
		for i := range 10 * live {
			take(t, l, fmt.Sprint("storm", i), Rate{1, live * time.Millisecond}, 1)
			time.Sleep(time.Millisecond)
			if i%live == live-1 {
				if n, _ := l.held(t); n < min(i, live)*9/10 || n > live*11/5 {
					t.Errorf("%d buckets after %d keys", n, i+1)
				}
			}
		}
		time.Sleep(time.Hour)
		for i := range 16_000 { // as long as there are any, each Take forgets
			take(t, l, fmt.Sprint("calm", i%4000), Rate{1 << 20, time.Nanosecond}, 1)
		}
		if n, room := l.held(t); n > 200 || room > 6000 {
			t.Errorf("after the storm %d buckets are held, with room for %d", n, room)
		}
	})
}

// A bucket that was not forgotten in time is full, and no more than that.
func TestLimiterFullButNotForgotten(t *testing.T) {
	const s = time.Second
	var shard limiterShard
	for i, want := range []time.Duration{0, 0, s} {
		now := min(time.Duration(i), 1) * 1000 * s
		if got := shard.take("k", s, s, now); got != want {
			t.Errorf("step %d: %v, want %v", i, got, want)
		}
	}
}

// Beyond its bound a new key takes the place of one that is nearly full.
func TestLimiterBound(t *testing.T) {
	var s limiterShard
	for i := range 2 * limiterKeys {
		full := time.Hour
		if i%4 == 0 {
			full = time.Minute
		}
		s.take(fmt.Sprint(i), 2*time.Hour, full, 0)
	}
	if len(s.buckets) != limiterKeys || len(s.index) != limiterKeys {
		t.Fatalf("%d buckets, %d in the index", len(s.buckets), len(s.index))
	}
	full := 0
	for _, b := range s.buckets {
		if b.full == time.Minute {
			full++
		}
	}
	if full > limiterKeys/10 {
		t.Errorf("%d of %d that are kept are nearly full", full, limiterKeys)
	}
}

func TestLimiterDoesNotAllocate(t *testing.T) {
	l, ctx := NewMemoryLimiter(), t.Context()
	rate := Rate{1000, time.Hour}
	take(t, l, "k", rate, 1)
	if n := testing.AllocsPerRun(500, func() { l.Take(ctx, "k", rate, 1) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkMemoryLimiter(b *testing.B) {
	keys := make([]string, 10_000)
	for i := range keys {
		keys[i] = fmt.Sprint("203.0.113.", i)
	}
	rate := Rate{120, time.Minute}
	for _, bench := range []struct {
		name string
		keys []string
	}{{"one key", keys[:1]}, {"10,000 keys", keys}} {
		b.Run(bench.name, func(b *testing.B) {
			l, ctx := NewMemoryLimiter(), context.Background()
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for i := 0; pb.Next(); i++ {
					l.Take(ctx, bench.keys[i%len(bench.keys)], rate, 1)
				}
			})
		})
	}
}
