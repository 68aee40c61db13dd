package main

import (
	"fmt"
	"slices"
	"testing"
	"time"
)

// What each hop takes: to the gateway and back, until the queue has it, until somebody hears it,
// until somebody else was sent it.
func TestPace(t *testing.T) {
	w := newWorld(t, options{})
	ann, bob, carol := w.join(t, "ann"), w.join(t, "bob"), w.join(t, "carol")
	carol.leave()
	w.becomes(t, "carol", "offline")
	const n = 50
	var beats, queued, heard, sent []time.Duration
	for i := range n {
		began := time.Now()
		if err := ann.beat(t.Context()); err != nil {
			t.Fatal(err)
		}
		beats = append(beats, time.Since(began))
		content := fmt.Sprint("pace ", i)
		began = time.Now()
		if err := ann.say(t.Context(), content); err != nil {
			t.Fatal(err)
		}
		queued = append(queued, time.Since(began))
		for len(w.inbox(t, "carol")) <= i { // each look is a hop, too
		}
		sent = append(sent, time.Since(began))
		eventually(t, "it is heard", func() bool { return !bob.hears(content).IsZero() })
		heard = append(heard, bob.hears(content).Sub(began))
	}
	for _, hop := range []struct {
		what string
		took []time.Duration
	}{{"a heartbeat is back", beats}, {"the queue has it", queued}, {"it is heard", heard}, {"it is in the inbox", sent}} {
		slices.Sort(hop.took)
		t.Logf("%-20s after %v, 99 of 100 after %v", hop.what, hop.took[n/2].Round(10*time.Microsecond), hop.took[n*99/100].Round(10*time.Microsecond))
	}
}
