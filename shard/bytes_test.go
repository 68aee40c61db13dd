package shard

import (
	"fmt"
	"runtime"
	"testing"
)

// TestBytesPerPlacement pins what the live heap holds for a placed connection, without its key's text: an object of 32
// bytes and a pointer, in a list that has up to a third of room to spare.
func TestBytesPerPlacement(t *testing.T) {
	const connections = 100_000
	keys := make([]string, connections)
	for i := range keys {
		keys[i] = fmt.Sprintf("%032d", i)
	}
	m := NewManager(Options{Shards: connections / 2500})
	placed := make([]*Placement, connections)
	before := liveHeap()
	for i, key := range keys {
		var err error
		if placed[i], err = m.Assign(key); err != nil {
			t.Fatal(err)
		}
	}
	got := float64(liveHeap()-before) / connections
	t.Logf("%.1f bytes per placement", got)
	if got > 43 {
		t.Errorf("%.1f bytes per placement, more than 43", got)
	}
	for _, p := range placed {
		p.Release()
	}
	if got := m.Total(); got != 0 {
		t.Errorf("Total = %d after all were released", got)
	}
	runtime.KeepAlive(keys)
}

func liveHeap() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what the first one freed has been swept
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
