//go:build race

package inbound

const raceEnabled = true // sync.Pool drops things at random
