//go:build race

package codec

// raceEnabled: under the race detector sync.Pool forgets at random, so that allocations cannot be
// counted, and training takes minutes.
const raceEnabled = true
