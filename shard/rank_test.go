package shard

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The numbers are SplitMix64's first five from seed 1234567, as published with it.
func TestScoreIsSplitMix64(t *testing.T) {
	want := []uint64{6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821}
	for slot, w := range want {
		if got := score(1234567, slot); got != w {
			t.Errorf("score(1234567, %d) = %d, want %d", slot, got, w)
		}
	}
}

func TestCostIsTheLogarithm(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	scores := []uint64{0, 1, 2, 3, 1 << 63, 1<<63 - 1, 1<<63 + 1, math.MaxUint64, math.MaxUint64 - 1}
	for range 100_000 {
		scores = append(scores, rng.Uint64()>>rng.IntN(64))
	}
	for _, s := range scores {
		got := float64(cost(s, octave())) / (1 << costBits)
		want := 64 - math.Log2(float64(max(s, 1)))
		if math.Abs(got-want) > 3e-6 {
			t.Errorf("cost(%#x) = %v, want %v", s, got, want)
		}
	}
}

func TestCostFallsAsTheScoreRises(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		a := rng.Uint64() >> rng.IntN(64)
		b := a + rng.Uint64N(1<<rng.IntN(60))
		if b < a {
			continue
		}
		if cost(a, octave()) < cost(b, octave()) {
			t.Fatalf("cost(%#x) < cost(%#x)", a, b)
		}
	}
}

func TestBeatsIsATotalOrder(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 6))
	some := func(node int) draw { // few values, so that ties are common
		s := []uint64{1 << 60, 1<<60 + 1, 1 << 63, math.MaxUint64}[rng.IntN(4)]
		return draw{s, cost(s, octave()), []uint64{1, 2, MaxWeight}[rng.IntN(3)], node}
	}
	for range 100_000 {
		a, b, c := some(0), some(1), some(2)
		if a.beats(b) == b.beats(a) {
			t.Fatalf("not one of the two: %+v, %+v", a, b)
		}
		if a.beats(b) && b.beats(c) && !a.beats(c) {
			t.Fatalf("not transitive: %+v, %+v, %+v", a, b, c)
		}
	}
}
