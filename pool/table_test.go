package pool

import (
	"math"
	"math/rand/v2"
	"strings"
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
		{"tags alone differ", func(key int) uint64 { return math.MaxUint64 - uint64(key%3)<<40 }},
		{"few places", func(key int) uint64 { return uint64(key % 5) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			const keys = 60
			r := rand.New(rand.NewPCG(1, 2))
			tab := table[int, string]{hash: tt.hash}
			want := map[int]*item[int, string]{}
			largest := 0
			for step := range 1500 {
				key := r.IntN(keys)
				growing := step/250%2 == 0
				switch it := want[key]; {
				case it == nil && (growing || r.IntN(20) == 0):
					it = &item[int, string]{key: key}
					tab.put(tt.hash(key), it)
					want[key] = it
				case it != nil && (!growing || r.IntN(20) == 0):
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
				if n != len(want) || tab.count != n || n > fullBucket*size || size > 1 && n < size/2 {
					t.Fatalf("step %d: %d items came, %d are counted, of %d in %d buckets", step, n, tab.count, len(want), size)
				}
				largest = max(largest, size)
				checkTags(t, &tab)
			}
			if largest != 16 {
				t.Errorf("the table had at most %d buckets", largest)
			}
		})
	}
}

// checkTags looks for what would only make searches longer.
func checkTags(t *testing.T, tab *table[int, string]) {
	t.Helper()
	for i := range tab.load() {
		for b := &tab.load()[i]; b != nil; b = b.more.Load() {
			for i := range b.items {
				want := uint64(0)
				if it := b.items[i].Load(); it != nil {
					want = tag(tab.hash(it.key))
				}
				if got := b.tags.Load() >> (8 * i) & 0xFF; got != want {
					t.Fatalf("tag %x, want %x", got, want)
				}
			}
		}
	}
}

func TestTagsTellItemsApart(t *testing.T) {
	tags := map[uint64]bool{}
	for range 10_000 {
		tg := tag(rand.Uint64())
		if tg == 0 || tg > 0xFF {
			t.Fatalf("tag %x", tg)
		}
		tags[tg] = true
		if m := matches(tg<<16, tg); m != 0x80<<16 {
			t.Fatalf("tag %x matches at %x", tg, m)
		}
		if m := matches((tg^1)<<16, tg); m != 0 {
			t.Fatalf("tag %x matches another at %x", tg, m)
		}
	}
	if len(tags) != 128 {
		t.Errorf("%d different tags of 128", len(tags))
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

// TestFindSeesNoHalves: each change moves an entry to another place of its bucket, and whoever sees changes whole finds it
// every time. Before it stand entries under the same hash whose long keys differ in the last byte, so that a search lasts
// long enough to meet a change.
func TestFindSeesNoHalves(t *testing.T) {
	const hash = 7
	long := strings.Repeat("x", 8<<10)
	decoy, filler, wanted := &entry[string, int]{key: long + "a"}, &entry[string, int]{key: long + "b"}, &entry[string, int]{key: long + "c"}
	var s shard[string, int]
	s.entries.hash = func(string) uint64 { return hash }
	s.entries.put(hash, decoy)
	s.entries.put(hash, wanted)
	done := make(chan struct{})
	var stop atomic.Bool
	go func() {
		defer close(done)
		for i := 0; !stop.Load(); i++ {
			s.mu.Lock()
			s.changes.Add(1)
			s.entries.cut(hash, wanted)
			if i%2 == 0 {
				s.entries.put(hash, filler)
			} else {
				s.entries.cut(hash, filler)
			}
			s.entries.put(hash, wanted)
			s.changes.Add(1)
			s.mu.Unlock()
		}
	}()
	key := strings.Clone(wanted.key)
	for range 20_000 {
		if e := s.find(hash, key); e != wanted {
			t.Errorf("found %p, want %p", e, wanted)
			break
		}
	}
	stop.Store(true)
	<-done
}
