package main

import "testing"

// scenario is one job, and who does it.
type scenario struct {
	name   string // as in the JSON
	title  string
	target float64 // ns, for ours; 0: none was set

	// contestants makes them ready, ours first. What they hold is let go of when the scenario is over.
	contestants func() []contestant
}

type contestant struct {
	name  string
	note  string // what tells it from the others, in a word
	bench func(b *testing.B)
}

func scenarios() []scenario {
	return []scenario{
		{"ring_lookup", "ring: owner of a key among 64 nodes", 15, rings},
		{"batch_add", "batcher: add one item, its part of a flush of 100 included", 60, batchers},
		{"batch_add_parallel", "the same, two goroutines per processor", 0, batchersParallel},
		{"pool_get", "pool: get by a string of 32 bytes, 8,192 entries", 30, poolsByString},
		{"pool_get_uint64", "pool: get by a uint64, 8,192 entries", 30, poolsByNumber},
		{"pool_get_parallel", "pool: get by a string, a goroutine per processor", 0, poolsInParallel},
		{"pool_get_100k", "pool: get by a string, 100,000 entries: out of the cache", 0, poolsLarge},
	}
}
