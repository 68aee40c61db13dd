package pool

import (
	"math"
	"math/rand/v2"
	"sync/atomic"
	"testing"
)

// TestTableAgainstMap puts and cuts at random, under hashes that are made to collide, and looks for everything after
// each step. The numbers of items rise and fall, so that the table grows and shrinks on the way.
func TestTableAgainstMap(t *testing.T) {
	tests := []struct {
		name string
		hash func(key int) uint64
	}{
		{"good hashes", func(key int) uint64 { return uint64(key) * 0x9E3779B97F4A7C15 >> 20 }},
		{"one place", func(int) uint64 { return 7 }},
		{"runs over the end", func(key int) uint64 { return math.MaxUint64 - uint64(key%3) }},
		{"few places", func(key int) uint64 { return uint64(key % 5) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const keys = 120
			r := rand.New(rand.NewPCG(1, 2))
			var tab table[int, string]
			want := map[int]*item[int, string]{}
			largest := 0
			for step := range 1500 {
				key := r.IntN(keys)
				growing := step/250%2 == 0
				switch it := want[key]; {
				case it == nil && (growing || r.IntN(4) == 0):
					it = &item[int, string]{key: key}
					tab.put(tt.hash(key), it)
					want[key] = it
				case it != nil && (!growing || r.IntN(4) == 0):
					tab.cut(tt.hash(key), it)
					delete(want, key)
				}
				for key := range keys {
					if got := tab.get(tt.hash(key), key); got != want[key] {
						t.Fatalf("step %d: get(%d) = %v, want %v", step, key, got, want[key])
					}
				}
				n := 0
				for it := range tab.all {
					if want[it.key] != it {
						t.Fatalf("step %d: all gave %v", step, it)
					}
					n++
				}
				size := len(tab.load())
				if n != len(want) || tab.count != n || 4*n > 3*size || size > minSlots && 8*n < size {
					t.Fatalf("step %d: %d items came, %d are counted, of %d in %d slots", step, n, tab.count, len(want), size)
				}
				largest = max(largest, size)
			}
			if largest != 256 && largest != 128 {
				t.Errorf("the table had at most %d slots", largest)
			}
		})
	}
}

// A key that is not equal to itself is found by nobody, and breaks nothing.
func TestNaNIsLost(t *testing.T) {
	p := New[float64, int](Options{})
	for range 100 {
		if err := p.Add(math.NaN(), 1); err != nil {
			t.Fatal(err)
		}
	}
	if _, ok := p.Remove(math.NaN()); ok {
		t.Error("Remove found a NaN")
	}
	s := &p.shards[0]
	for e := range s.entries.all {
		s.entries.cut(p.hash(e.key), e) // as EvictIdle does
		break
	}
	if got := p.Stats().Total; got != 100 {
		t.Errorf("Total = %d", got)
	}
}

// TestFindSeesNoHalves: each change takes an entry out and puts it back at once, so whoever sees the changes whole finds
// it every time. Others move about in the same shard, so that the table is made anew now and then, too.
func TestFindSeesNoHalves(t *testing.T) {
	p := New[int, int](Options{})
	if err := p.Add(7, 7); err != nil {
		t.Fatal(err)
	}
	hash := p.hash(7)
	s := p.shard(hash)
	e := s.find(hash, 7)
	done := make(chan struct{})
	var stop atomic.Bool
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			s.mu.Lock()
			s.changes.Add(1)
			s.entries.cut(hash, e)
			if i%64 == 0 {
				s.entries.resize(len(s.entries.load()))
			}
			s.entries.put(hash, e)
			s.changes.Add(1)
			s.mu.Unlock()
		}
	}()
	for range 100_000 {
		if got, ok := p.Get(7); got != 7 || !ok {
			t.Fatalf("Get = %d, %v", got, ok)
		}
		if !p.Touch(7) {
			t.Fatal("Touch did not find it")
		}
	}
	stop.Store(true)
	<-done
	consistent(t, p)
}
