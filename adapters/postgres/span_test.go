package postgres

import (
	"iter"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

var november = monthOf(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))

// first is the lowest id of a month.
func first(year, month int) int64 {
	return int64(message.At(time.Date(year, time.Month(month), 1, 0, 0, 0, 0, time.UTC)))
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		name string
		got  iter.Seq[span]
		want []span
	}{
		{"the newest", backwards(0, math.MaxInt64, november), []span{
			{first(2026, 10), math.MaxInt64}, {first(2026, 2), first(2026, 10) - 1}, {first(2023, 6), first(2026, 2) - 1}, {0, first(2023, 6) - 1}}},
		{"before a moment of July", backwards(0, first(2026, 7)+9, november), []span{
			{first(2026, 6), first(2026, 7) + 9}, {first(2025, 10), first(2026, 6) - 1}, {first(2023, 2), first(2025, 10) - 1}, {0, first(2023, 2) - 1}}},
		{"a piece of this month", backwards(first(2026, 11)+1, first(2026, 11)+2, november), []span{{first(2026, 11) + 1, first(2026, 11) + 2}}},
		{"after a moment of October", forwards(first(2026, 10)+9, math.MaxInt64, november), []span{{first(2026, 10) + 9, math.MaxInt64}}},
		{"after a moment of 2025", forwards(first(2025, 1)+9, math.MaxInt64, november), []span{
			{first(2025, 1) + 9, first(2025, 3) - 1}, {first(2025, 3), first(2025, 11) - 1}, {first(2025, 11), math.MaxInt64}}},
		{"after what is to come", forwards(first(2040, 1), math.MaxInt64, november), []span{{first(2040, 1), math.MaxInt64}}},
		{"nothing", backwards(2, 1, november), nil},
		{"nothing at the end", forwards(math.MaxInt64, math.MaxInt64-1, november), nil},
		{"the last", forwards(math.MaxInt64, math.MaxInt64, november), []span{{math.MaxInt64, math.MaxInt64}}},
		{"the first", backwards(0, 0, november), []span{{0, 0}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := slices.Collect(tt.got); !slices.Equal(got, tt.want) {
				t.Errorf("got  %v\nwant %v", got, tt.want)
			}
		})
	}
}

// Spans leave nothing out and nothing twice, and are few.
func FuzzSpans(f *testing.F) {
	for range 20 {
		f.Add(rand.Int64(), rand.Int64(), uint16(rand.N(30_000)))
	}
	f.Add(int64(0), int64(math.MaxInt64), uint16(november))
	f.Fuzz(func(t *testing.T, low, high int64, now uint16) {
		low, high = low&math.MaxInt64, high&math.MaxInt64
		next, n := low, 0
		for s := range forwards(low, high, month(now)) {
			if s.low != next || s.high < s.low || s.high > high {
				t.Fatalf("forwards: %v follows %d", s, next-1)
			}
			next, n = s.high+1, n+1
		}
		if low <= high && next != high+1 || n > 7 {
			t.Errorf("forwards: it ends before %d, after %d", next, n)
		}
		last, n := high, 0
		for s := range backwards(low, high, month(now)) {
			if s.high != last || s.high < s.low || s.low < low {
				t.Fatalf("backwards: %v precedes %d", s, last+1)
			}
			last, n = s.low-1, n+1
		}
		if low <= high && last != low-1 || n > 7 {
			t.Errorf("backwards: it ends behind %d, after %d", last, n)
		}
	})
}
