package wheel

import (
	"math/rand/v2"
	"testing"
	"time"
)

// Every item comes out once: not before its time unless that is beyond the
// horizon, and at most a tick after.
func TestWheel(t *testing.T) {
	for seed := range uint64(200) {
		rnd := rand.New(rand.NewPCG(seed, 0))
		now := time.Unix(1000, rnd.Int64N(1e9))
		const tick, size = 100 * time.Millisecond, 50
		type item struct{ added, at time.Time }
		w := New[item](now, tick, size)
		in, out := 0, 0
		for range 300 {
			for range rnd.IntN(4) {
				at := now.Add(time.Duration(rnd.Int64N(int64(8*time.Second))) - time.Second)
				w.Add(item{now, at}, at)
				in++
			}
			now = now.Add(time.Duration(rnd.Int64N(int64(700 * time.Millisecond))))
			for _, it := range w.Advance(now, nil) {
				out++
				if now.Before(it.at) && it.at.Sub(it.added) < (size-2)*tick {
					t.Fatalf("seed %d: out %v early", seed, it.at.Sub(now))
				}
			}
			if w.Len() != in-out {
				t.Fatalf("seed %d: Len is %d, want %d", seed, w.Len(), in-out)
			}
		}
		now = now.Add(time.Hour)
		out += len(w.Advance(now, nil))
		if in != out || w.Len() != 0 {
			t.Fatalf("seed %d: %d came out of %d", seed, out, in)
		}
	}
}

func TestWheelTiming(t *testing.T) {
	start := time.Unix(1000, 0)
	const tick, size = 100 * time.Millisecond, 50
	tests := []struct {
		name           string
		after          time.Duration
		notYet, surely time.Duration
	}{
		{"in the past", -time.Second, 99 * time.Millisecond, 100 * time.Millisecond},
		{"now", 0, 99 * time.Millisecond, 100 * time.Millisecond},
		{"between ticks", 250 * time.Millisecond, 299 * time.Millisecond, 300 * time.Millisecond},
		{"on a tick", 300 * time.Millisecond, 299 * time.Millisecond, 300 * time.Millisecond},
		{"beyond the horizon, early", time.Hour, 4899 * time.Millisecond, 4900 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := New[string](start, tick, size)
			w.Add("x", start.Add(tt.after))
			if got := w.Advance(start.Add(tt.notYet), nil); len(got) != 0 {
				t.Errorf("out after %v", tt.notYet)
			}
			if got := w.Advance(start.Add(tt.surely), nil); len(got) != 1 {
				t.Errorf("not out after %v", tt.surely)
			}
		})
	}
}
