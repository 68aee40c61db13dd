package presence

import (
	"context"
	"fmt"
	"runtime"
	"testing"
	"time"
)

// nowhere is a store that keeps nothing: the tracker alone is weighed.
type nowhere struct{}

func (nowhere) Put(context.Context, ...Entry) error                        { return nil }
func (nowhere) Renew(context.Context, string, time.Duration) (bool, error) { return true, nil }
func (nowhere) Sweep(context.Context, string) ([]Entry, error)             { return nil, nil }
func (nowhere) Since(_ context.Context, cursor uint64) ([]Entry, uint64, error) {
	return nil, cursor, nil
}

// TestBytesPerPerson pins what the live heap holds for somebody who is online with one device, after a crowd has come
// and everybody was told; the text of IDs aside. Each topic has fifty members.
func TestBytesPerPerson(t *testing.T) {
	const people = 50_000
	ids := make([]string, people)
	for i := range ids {
		ids[i] = fmt.Sprintf("%018d", i)
	}
	tests := []struct {
		name   string
		store  Store
		topics int
		most   float64
	}{
		{"without topics", nowhere{}, 0, 425},
		{"in five topics", nowhere{}, 5, 765},
		{"without topics, with its entry in memory", NewMemoryStore(), 0, 725},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			before := liveHeap()
			tracker, err := New(Options{Store: tt.store, Window: time.Hour}) // tell is called below
			if err != nil {
				t.Fatal(err)
			}
			for i, user := range ids {
				if err := tracker.Set(t.Context(), Device{User: user, Session: user}); err != nil {
					t.Fatal(err)
				}
				for n := range tt.topics {
					tracker.Join(ids[(i+n*1009)%(people/10)], user) // fifty come to each
				}
			}
			tracker.tell()
			got := float64(liveHeap()-before) / people
			t.Logf("%.0f bytes", got)
			if got > tt.most {
				t.Errorf("%.0f bytes per person, more than %.0f", got, tt.most)
			}
			if err := tracker.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
	}
	runtime.KeepAlive(ids)
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one freed has been swept
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
