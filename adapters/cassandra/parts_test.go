package cassandra

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func newStore(bucket time.Duration) *Store {
	s := &Store{bucket: bucket}
	s.stamp.Store(1<<63 - 1)
	return s
}

// TestMirrored: later is lower, whatever the clock does, and below whatever a server's clock says.
func TestMirrored(t *testing.T) {
	s := newStore(time.Hour)
	last := int64(1<<63 - 1)
	for _, now := range []time.Time{start, start, start.Add(time.Microsecond), start.Add(-time.Hour), start.Add(time.Hour), start} {
		stamp := s.mirrored(now)
		if stamp >= last || stamp > 2*message.Epoch.UnixMicro()-now.UnixMicro() {
			t.Errorf("at %v: %d after %d", now, stamp, last)
		}
		last = stamp
	}
	if stamp := newStore(time.Hour).mirrored(start); time.UnixMicro(stamp).UTC().Year() != 2004 || !time.UnixMicro(stamp).Before(message.Epoch) {
		t.Errorf("2026 is mirrored as %v", time.UnixMicro(stamp).UTC())
	}
}

func TestBucketOf(t *testing.T) {
	s := newStore(defaultBucket)
	for _, tt := range []struct {
		id   message.ID
		want int
	}{
		{0, 0}, {1, 0},
		{message.At(message.Epoch.Add(defaultBucket)) - 1, 0}, {message.At(message.Epoch.Add(defaultBucket)), 1},
		{message.At(start), 401}, {1<<63 - 1, 2545},
	} {
		if got := s.bucketOf(tt.id); got != tt.want {
			t.Errorf("%d is in bucket %d, want %d", tt.id, got, tt.want)
		}
	}
	if most := newStore(time.Hour).bucketOf(1<<63 - 1); most >= 1<<31 {
		t.Errorf("%d does not fit an int of Cassandra", most)
	}
}

func TestChunks(t *testing.T) {
	s := newStore(time.Hour)
	sized := func(n, size int) message.Message {
		m := said("7", n)
		m.Data = make([]byte, size)
		return m
	}
	for _, tt := range []struct {
		name string
		rows []message.Message
		want string
	}{
		{"nothing", nil, "[]"},
		{"one", saidAll("7", 0, 0), "[1]"},
		{"as many as may be", saidAll("7", 0, 99), "[100]"},
		{"one more", saidAll("7", 0, 100), "[100 1]"},
		{"two buckets", saidAll("7", 3595, 3604), "[5 5]"},
		{"large ones", []message.Message{sized(0, 10), sized(1, 1<<20), sized(2, 10), sized(3, 10)}, "[1 1 2]"},
		{"up to 64 KB", []message.Message{sized(0, 32<<10), sized(1, 31<<10), sized(2, 32<<10), sized(3, 33<<10)}, "[2 1 1]"},
	} {
		var sizes []int
		n := 0
		for _, c := range s.chunks("7", tt.rows) {
			sizes = append(sizes, len(c.rows))
			for _, m := range c.rows {
				if m.ID != tt.rows[n].ID || s.bucketOf(m.ID) != c.bucket || c.channel != "7" {
					t.Errorf("%s: %d is in %+v", tt.name, m.ID, c.partition)
				}
				n++
			}
		}
		if got := fmt.Sprint(sizes); got != tt.want || n != len(tt.rows) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestSecondsOf(t *testing.T) {
	for d, want := range map[time.Duration]int{
		0: 0, -time.Second: 0, 1: 1, time.Second: 1, time.Second + 1: 2, 1<<63 - 1: longestTTL,
	} {
		if got := secondsOf(d); got != want {
			t.Errorf("%v: %d, want %d", d, got, want)
		}
	}
}

func TestEach(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most, calls atomic.Int64
		broken := errors.New("broken")
		err := each(20, 3, func(i int) error {
			calls.Add(1)
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(time.Second)
			now.Add(-1)
			if i == 4 {
				return broken
			}
			return nil
		})
		if err != broken || most.Load() != 3 || now.Load() != 0 || calls.Load() > 9 || calls.Load() < 5 {
			t.Errorf("%v after %d calls, %d at a time, %d left", err, calls.Load(), most.Load(), now.Load())
		}
		if err := each(0, 3, nil); err != nil {
			t.Error(err)
		}
	})
}

func TestTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all turns
		give, err := all.take(t.Context(), "7")
		must(t, err)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := all.take(ctx, "7"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a second turn: %v", err)
		}
		give()
		give, err = all.take(t.Context(), "7")
		must(t, err)
		give()
	})
}

func TestBucketsForget(t *testing.T) {
	var b buckets
	b.add(partition{"7", 1}, start)
	for _, tt := range []struct {
		p     partition
		since time.Time
		want  bool
	}{
		{partition{"7", 1}, start, true},
		{partition{"7", 1}, start.Add(1), false},
		{partition{"7", 2}, start, false},
		{partition{"8", 1}, start, false},
	} {
		if got := b.knows(tt.p, tt.since); got != tt.want {
			t.Errorf("%+v since %v: %v", tt.p, tt.since, got)
		}
	}
	for n := range 2 * mostKnown {
		b.add(partition{"8", n}, start)
	}
	if len(b.at) > mostKnown {
		t.Errorf("%d are remembered", len(b.at))
	}
}
