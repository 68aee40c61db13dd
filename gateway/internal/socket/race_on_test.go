//go:build race

package socket

const raceEnabled = true // sync.Pool drops things at random
