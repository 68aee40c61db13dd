package main

import (
	"errors"
	"testing"
)

// What a client counts is what it was sent.
func TestTally(t *testing.T) {
	of := newTraffic()
	of.did(room(0), 3, errors.New("no answer"))
	for _, tt := range []struct {
		name                     string
		seen                     []uint64 // 0: the session is another one
		lost, repeated, reversed uint64
	}{
		{"all", []uint64{1, 2, 3, 4}, 0, 0, 0},
		{"from the middle", []uint64{7, 8}, 0, 0, 0},
		{"two lost", []uint64{4, 7}, 2, 0, 0},
		{"one may not have been published", []uint64{1, 2, 4}, 0, 0, 0},
		{"repeated", []uint64{4, 5, 4, 5, 6}, 0, 2, 0},
		{"late", []uint64{4, 6, 5, 7}, 0, 0, 1},
		{"late, and again", []uint64{4, 6, 5, 5}, 0, 1, 1},
		{"another session", []uint64{4, 0, 9, 10}, 0, 0, 0},
		{"lost before another session", []uint64{4, 6, 0, 9}, 1, 0, 0},
	} {
		c := newTally()
		for _, n := range tt.seen {
			if n == 0 {
				c.begin()
				continue
			}
			c.saw(message{room(0), n})
		}
		if lost := c.lost(of); lost != tt.lost || c.repeated != tt.repeated || c.reversed != tt.reversed {
			t.Errorf("%s: %d lost, %d repeated, %d late, want %d, %d, %d",
				tt.name, lost, c.repeated, c.reversed, tt.lost, tt.repeated, tt.reversed)
		}
	}
}
