package messages

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestConfigIsReadBack(t *testing.T) {
	for _, c := range []Config{{Store: "memory"}, {"postgres", "postgres://x@y/z?a=b&c=d", true, true}} {
		if got, err := Parse(c.String()); err != nil || got != c {
			t.Errorf("%+v became %+v, %v", c, got, err)
		}
	}
	for _, text := range []string{"", "gatehouse", Prefix, Prefix + "{"} {
		if c, err := Parse(text); err == nil {
			t.Errorf("%q became %+v", text, c)
		}
	}
	if _, err := (Config{Store: "paper"}).open(t.Context()); err == nil {
		t.Error("there is a store called paper")
	}
}

// What a pipeline made of what was sent is what the store is given again, batch by batch.
func TestLimitDrivesTheSameBatches(t *testing.T) {
	var places Places
	for _, c := range []Config{{Store: "memory", Index: true}, {Store: "sqlite"}, {Store: "memory", Alone: true}} {
		placed, remove, err := places.Of(c.Store)
		if err != nil {
			t.Fatal(err)
		}
		placed.Index, placed.Alone = c.Index, c.Alone
		run, err := Pipeline(t.Context(), placed, 30*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		sum := 0
		for _, b := range run.Batches {
			sum += b.size
		}
		if run.Messages == 0 || run.Messages != sum {
			t.Errorf("%+v: %d messages, %d in batches", c, run.Messages, sum)
		}
		if alone := sum == len(run.Batches); alone != c.Alone {
			t.Errorf("%+v: %d messages in %d batches", c, sum, len(run.Batches))
		}
		again, err := Limit(t.Context(), placed, run.Batches)
		if err != nil || again.Messages != sum {
			t.Errorf("%+v: %d of %d messages, %v", c, again.Messages, sum, err)
		}
		if err := errors.Join(remove(), places.Close()); err != nil {
			t.Error(err)
		}
	}
}

func TestDriveKeepsBatches(t *testing.T) {
	store := &recorder{Store: message.NewMemoryStore()}
	var batches []batch
	for i := range 500 {
		batches = append(batches, batch{ChannelOf(i % 3), 1 + i%7})
	}
	lines, n, err := ready(message.NewIDs(0), batches)
	if err != nil {
		t.Fatal(err)
	}
	if err := (opened{Store: store}).drive(t.Context(), lines); err != nil {
		t.Fatal(err)
	}
	got, sum := map[string][]int{}, 0
	for _, b := range store.take() {
		got[b.channel] = append(got[b.channel], b.size)
		sum += b.size
	}
	if sum != n {
		t.Errorf("%d of %d messages", sum, n)
	}
	for _, channel := range []string{ChannelOf(0), ChannelOf(1), ChannelOf(2)} {
		var want []int
		for _, b := range batches {
			if b.channel == channel {
				want = append(want, b.size)
			}
		}
		if !slices.Equal(got[channel], want) {
			t.Errorf("channel %s was given %v", channel, got[channel])
		}
	}
}

func TestHotChannel(t *testing.T) {
	all, err := HotChannel(t.Context(), Config{Store: "memory"}, 100, 5)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range all {
		if h.Reads < 1 || h.Reads > 100 {
			t.Errorf("%+v", h)
		}
	}
}

func TestHistogram(t *testing.T) {
	for v := uint64(0); v < 1<<40; v = v*9/8 + 1 {
		b := bucket(v)
		if upper(b) < v || v > 0 && float64(upper(b)) > float64(v)*(1+1.0/fine) || b > 0 && upper(b-1) >= v {
			t.Fatalf("%d is in the bucket up to %d, behind %d", v, upper(b), upper(b-1))
		}
	}
	if b := bucket(math.MaxUint64); b >= 64*fine {
		t.Errorf("bucket %d", b)
	}
	var h histogram
	for _, v := range rand.New(rand.NewPCG(1, 2)).Perm(10_000) {
		h.add(uint64(v), 2)
	}
	s := h.take(1)
	if s.N != 20_000 || math.Abs(s.P50/5000-1) > 0.04 || math.Abs(s.P99/9900-1) > 0.04 || math.Abs(s.P999/9990-1) > 0.04 {
		t.Errorf("%+v", s)
	}
	if s := h.take(1); s.N != 0 || s.P99 != 0 {
		t.Errorf("taken again: %+v", s)
	}
}

func TestStages(t *testing.T) {
	var s Stages
	m := message.Message{Channel: "7", Content: "hello"}
	if err := s.Validate(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	store := waited{message.NewMemoryStore(), &s}
	m.ID = 1
	if err := store.Append(t.Context(), "7", []message.Message{m}); err != nil {
		t.Fatal(err)
	}
	s.Observe(message.StageStore, 20, 3*time.Millisecond, nil)
	s.Observe(message.StageQueue, 20, time.Hour, nil)
	took := s.Take()
	if took["wait"].N != 1 || took["wait"].P50 <= 0 || took["store"].N != 20 || math.Abs(took["store"].P50-3) > 0.1 || took["batch"].P50 != 20 || len(took) != 3 {
		t.Errorf("%+v", took)
	}
}

// Where nobody asked for real servers, a store that needs one is left out.
func TestPlacesLeaveOut(t *testing.T) {
	t.Setenv("GATEHOUSE_SERVERS", "")
	var places Places
	if _, _, err := places.Of("postgres"); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if err := places.Close(); err != nil {
		t.Error(err)
	}
}

// A command in place of a test returns what would have ended that, and cleans up.
func TestHost(t *testing.T) {
	var h host
	var order []int
	h.Cleanup(func() { order = append(order, 1) })
	h.Cleanup(func() { order = append(order, 2); h.Errorf("it would not %s", "end") })
	if err := h.try(func() { h.Fatalf("no %s", "luck") }); err == nil || err.Error() != "no luck" {
		t.Error(err)
	}
	if err := h.try(func() { h.Skipf("no %s", "server") }); !errors.Is(err, ErrMissing) {
		t.Error(err)
	}
	if err := h.end(); err == nil || !h.Failed() || !slices.Equal(order, []int{2, 1}) {
		t.Errorf("%v, %v", err, order)
	}
}
