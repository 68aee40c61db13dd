package message

import (
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)

// clock is a clock that the test sets.
type clock struct{ now time.Time }

func (c *clock) read() time.Time { return c.now }

func next(t *testing.T, s *IDs, after ID) ID {
	t.Helper()
	id, err := s.Next(after)
	if err != nil {
		t.Fatal(err)
	}
	if id <= after {
		t.Fatalf("%d is not higher than %d", id, after)
	}
	return id
}

func TestIDParts(t *testing.T) {
	id := next(t, newIDs(1023, func() time.Time { return noon.Add(7 * time.Millisecond) }), 0)
	if id.Node() != 1023 || !id.Time().Equal(noon.Add(7*time.Millisecond)) {
		t.Errorf("%d is of node %d, %v", id, id.Node(), id.Time())
	}
	if At(noon) > id || At(noon.Add(8*time.Millisecond)) <= id {
		t.Errorf("%d is not of its time", id)
	}
	for _, tt := range []struct {
		at   time.Time
		want ID
	}{{Epoch, 0}, {Epoch.Add(-time.Hour), 0}, {Epoch.Add(time.Millisecond), 1 << 22}, {time.Date(2500, 1, 1, 0, 0, 0, 0, time.UTC), (1<<41 - 1) << 22}} {
		if got := At(tt.at); got != tt.want {
			t.Errorf("At(%v) = %d, want %d", tt.at, got, tt.want)
		}
	}
}

func TestIDText(t *testing.T) {
	text, err := json.Marshal(map[string]ID{"id": 1<<63 - 1})
	if err != nil || string(text) != `{"id":"9223372036854775807"}` {
		t.Errorf("%s, %v", text, err)
	}
	for _, tt := range []struct {
		text string
		want ID
		bad  bool
	}{
		{"0", 0, false}, {"9223372036854775807", 1<<63 - 1, false},
		{"9223372036854775808", 0, true}, {"-1", 0, true}, {"", 0, true}, {"1e3", 0, true}, {" 1", 0, true}, {"0x1", 0, true}, {"1_0", 0, true},
	} {
		var id ID
		if err := id.UnmarshalText([]byte(tt.text)); (err != nil) != tt.bad || id != tt.want {
			t.Errorf("%q: %d, %v", tt.text, id, err)
		}
	}
}

func TestNodeOutOfRange(t *testing.T) {
	for _, node := range []int{-1, 1024} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("node %d is taken", node)
				}
			}()
			NewIDs(node)
		}()
	}
}

func TestClockBackwards(t *testing.T) {
	c := &clock{noon}
	s := newIDs(5, c.read)
	last := next(t, s, 0)
	for _, step := range []time.Duration{-time.Millisecond, -10 * time.Second, -40 * time.Second, 20 * time.Second, time.Minute, -59 * time.Second} {
		c.now = c.now.Add(step)
		id := next(t, s, 0)
		if id <= last || id.Node() != 5 {
			t.Fatalf("after %v: %d, of node %d, after %d", step, id, id.Node(), last)
		}
		last = id
	}
	c.now = noon.Add(-time.Hour)
	if id, err := s.Next(0); !errors.Is(err, ErrClock) || id != 0 {
		t.Errorf("an hour back: %d, %v", id, err)
	}
	c.now = noon.Add(time.Hour)
	if id := next(t, s, last); !id.Time().Equal(c.now) {
		t.Errorf("%d is of %v", id, id.Time())
	}
}

func TestNextAfterAnother(t *testing.T) {
	for _, node := range []int{0, 5, 1023} {
		c := &clock{noon}
		s := newIDs(node, c.read)
		for _, after := range []ID{
			At(noon), At(noon) | 3<<12, At(noon) | 5<<12, At(noon) | 1023<<12, At(noon) | maxSequence, At(noon) | 1<<22 - 1,
			At(noon.Add(time.Second)) | 1<<22 - 1, At(noon.Add(59 * time.Second)),
		} {
			if id := next(t, s, after); id.Node() != node {
				t.Errorf("%d is of node %d", id, id.Node())
			}
		}
		far := At(noon.Add(2 * time.Minute))
		if _, err := s.Next(far); !errors.Is(err, ErrClock) {
			t.Errorf("after an id of in two minutes: %v", err)
		}
		if id := next(t, s, 0); id.Time().After(noon.Add(time.Minute)) {
			t.Errorf("what failed had an effect: %v", id.Time())
		}
	}
}

// TestManyAtOnce: beyond 4,096 a millisecond, ids go on into the next ones.
func TestManyAtOnce(t *testing.T) {
	c := &clock{noon}
	s := newIDs(1023, c.read)
	last := ID(0)
	for range 3*4096 + 1 {
		id, err := s.Next(0)
		if err != nil || id <= last || id.Node() != 1023 {
			t.Fatalf("%d after %d: %v", id, last, err)
		}
		last = id
	}
	if !last.Time().Equal(noon.Add(3 * time.Millisecond)) {
		t.Errorf("the last is of %v", last.Time())
	}
}

func TestIDsOfManyGoroutines(t *testing.T) {
	const goroutines, each = 8, 3000
	s := NewIDs(7)
	all := make([][]ID, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			last := ID(0)
			for range each {
				id, err := s.Next(last)
				if err != nil || id <= last {
					t.Errorf("%d after %d: %v", id, last, err)
					return
				}
				last = id
				all[g] = append(all[g], id)
			}
		})
	}
	wg.Wait()
	seen := make(map[ID]bool)
	for _, ids := range all {
		for _, id := range ids {
			if seen[id] {
				t.Fatalf("%d was given twice", id)
			}
			seen[id] = true
		}
	}
}
