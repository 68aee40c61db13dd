package postgres

import (
	"math/rand/v2"
	"testing"
	"time"
)

func at(second int) time.Time { return time.Unix(int64(second), 0) }

func TestTrail(t *testing.T) {
	for _, tt := range []struct {
		name            string
		marks           []mark // on timeline 1
		timeline, place int64
		want            int // -1: unknown
	}{
		{"nothing is known", nil, 1, 100, -1},
		{"level", []mark{{at(5), 100}}, 1, 100, 5},
		{"further", []mark{{at(5), 100}}, 1, 200, 5},
		{"behind all", []mark{{at(5), 100}}, 1, 99, -1},
		{"between", []mark{{at(5), 100}, {at(6), 200}, {at(7), 300}}, 1, 299, 6},
		{"an idle primary", []mark{{at(5), 100}, {at(6), 100}, {at(7), 100}}, 1, 100, 7},
		{"a log that went back in a crash", []mark{{at(5), 100}, {at(6), 300}, {at(7), 200}}, 1, 200, 7},
		{"marks out of order", []mark{{at(6), 300}, {at(5), 100}}, 1, 200, -1},
		{"another timeline", []mark{{at(5), 100}}, 2, 500, -1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var trail trail
			for _, m := range tt.marks {
				trail.add(1, m)
			}
			got, known := trail.reached(tt.timeline, tt.place)
			if known != (tt.want >= 0) || known && !got.Equal(at(tt.want)) {
				t.Errorf("%v, %v", got, known)
			}
		})
	}
}

func TestTrailOfANewPrimary(t *testing.T) {
	var trail trail
	trail.add(1, mark{at(5), 100})
	trail.add(2, mark{at(6), 90})
	for timeline, want := range map[int64]bool{1: false, 2: true} {
		if got, known := trail.reached(timeline, 95); known != want {
			t.Errorf("timeline %d: %v, %v", timeline, got, known)
		}
	}
}

// A trail never says that a replica has more than it has, and, while it has room, says all that is known.
func TestTrailAgainstAll(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 1))
		var trail trail
		var all []mark
		place, replica := int64(1), int64(0)
		for second := range 100 + rng.IntN(900) {
			place += rng.Int64N(3)
			trail.add(1, mark{at(second), place})
			all = append(all, mark{at(second), place})
			if len(trail.marks) > maxMarks {
				t.Fatalf("seed %d: %d marks", seed, len(trail.marks))
			}
			if rng.IntN(50) > 0 {
				continue
			}
			replica += rng.Int64N(place - replica + 1)
			best := -1
			for i, m := range all {
				if m.place <= replica {
					best = i
				}
			}
			got, known := trail.reached(1, replica)
			if known && (best < 0 || got.After(at(best))) {
				t.Fatalf("seed %d: at %d it has what was done by %v, and not more than by %d", seed, replica, got, best)
			}
			if len(all) <= maxMarks && (known != (best >= 0) || known && !got.Equal(at(best))) {
				t.Fatalf("seed %d: at %d it has what was done by %d, told is %v, %v", seed, replica, best, got, known)
			}
		}
	}
}
