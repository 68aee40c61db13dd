package pool

import (
	"fmt"
	"runtime"
	"testing"
)

// TestBytesPerEntry pins what the live heap holds for an entry, without its key, its connection and the label's text.
// The number of entries fills six tenths of every table, however many shards there are; a table can be 3/8 full, and an
// entry then weighs 16 bytes more.
func TestBytesPerEntry(t *testing.T) {
	const entries = 6 * (1 << 17) / 10
	keys, values := make([]string, entries), make([]string, entries)
	for i := range keys {
		keys[i] = fmt.Sprintf("%032d", i)
		values[i] = fmt.Sprint(i)
	}
	tests := []struct {
		name           string
		label          func(i int) []Label
		text, numbered float64 // most bytes with a string and with a uint64 for a key
	}{
		{"no label", func(int) []Label { return nil }, 78, 62},
		{"a user of its own", func(i int) []Label { return []Label{{"user", values[i]}} }, 208, 192},
		{"an address of 1,000", func(i int) []Label { return []Label{{"address", values[i/1000]}} }, 118, 102},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			weigh(t, "string", keys, tt.label, tt.text)
			numbers := make([]uint64, entries)
			for i := range numbers {
				numbers[i] = uint64(i)
			}
			weigh(t, "uint64", numbers, tt.label, tt.numbered)
		})
	}
	runtime.KeepAlive(values)
}

func weigh[K comparable](t *testing.T, name string, keys []K, label func(i int) []Label, most float64) {
	t.Helper()
	conn := new(int)
	before := liveHeap()
	p := New[K, *int](Options{Max: -1})
	for i, key := range keys {
		if err := p.Add(key, conn, label(i)...); err != nil {
			t.Fatal(err)
		}
	}
	got := float64(liveHeap()-before) / float64(len(keys))
	t.Logf("%s keys: %.0f bytes per entry", name, got)
	if got > most {
		t.Errorf("%s keys: %.1f bytes per entry, more than %.0f", name, got, most)
	}
	runtime.KeepAlive(p)
	runtime.KeepAlive(keys)
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one freed has been swept
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
