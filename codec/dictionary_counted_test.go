package codec

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/corpus"
)

// heldOut is made once: it takes a while under the race detector.
var heldOut = sync.OnceValue(corpus.HeldOut)

// packed are events as the gateway compresses them.
func packed(t testing.TB, events []corpus.Event) (bodies [][]byte) {
	t.Helper()
	for _, e := range events {
		body, err := AppendMsgPackFromJSON(nil, e.Data, Limits{})
		if err != nil {
			t.Fatalf("%s: %v", e.Data, err)
		}
		bodies = append(bodies, body)
	}
	return bodies
}

// TestCountedDefaultDictionary makes default.dict again from the corpus. Its bytes are a promise: who
// changes them changes defaultID too, or old clients read nonsense.
func TestCountedDefaultDictionary(t *testing.T) {
	const promised = "96ab6066497b2f072679020a76def4f65f7d96f8f3e4bb18525e6ca8d3b595b7"
	if got := DefaultDictionary(); got.ID() != "events-1" || got.Hash() != promised {
		t.Errorf("%s is %s, want %s", got.ID(), got.Hash(), promised)
	}
	if raceEnabled {
		t.Skip("training takes minutes under the race detector; make counted does it without")
	}
	d, err := TrainDictionary(defaultID, packed(t, corpus.Training()), defaultSize)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("default.dict", d.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		t.Logf("written; its hash is %s", d.Hash())
		return
	}
	if !bytes.Equal(d.Bytes(), defaultBytes) {
		t.Errorf("training gives %d bytes that are not default.dict's %d: go generate ./codec", len(d.Bytes()), len(defaultBytes))
	}
}

// TestCountedBytesPerEvent holds the default dictionary to its target, on events it was not trained on:
// mean and 90th percentile at most 0.40 of the JSON. With -v it prints the figures of every type.
func TestCountedBytesPerEvent(t *testing.T) {
	if testing.Short() {
		t.Skip("4,000 events")
	}
	d := DefaultDictionary()
	events := heldOut()
	bodies := packed(t, events)
	ratios := map[string][]float64{}
	var dst []byte
	for i, e := range events {
		json := float64(len(e.Data))
		dst = d.AppendLZ4(dst[:0], bodies[i])
		ratio := float64(len(dst)) / json
		ratios[e.Type] = append(ratios[e.Type], ratio)
		ratios["all"] = append(ratios["all"], ratio)
		ratios["all, MessagePack alone"] = append(ratios["all, MessagePack alone"], float64(len(bodies[i]))/json)
		dst = AppendLZ4(dst[:0], bodies[i])
		ratios["all, LZ4 without a dictionary"] = append(ratios["all, LZ4 without a dictionary"], float64(len(dst))/json)
	}
	for _, kind := range slices.Sorted(maps.Keys(ratios)) {
		mean, p90 := meanAnd90th(ratios[kind])
		t.Logf("%-30s %5d events: mean %.3f, p90 %.3f", kind, len(ratios[kind]), mean, p90)
	}
	if mean, p90 := meanAnd90th(ratios["all"]); mean > 0.40 || p90 > 0.40 {
		t.Errorf("mean %.3f, p90 %.3f of the JSON, want 0.40 at most", mean, p90)
	}
}

func meanAnd90th(v []float64) (mean, p90 float64) {
	slices.Sort(v)
	for _, x := range v {
		mean += x
	}
	return mean / float64(len(v)), v[(len(v)*9+9)/10-1]
}

// TestDictionaryAllocates counts: neither an event that shrinks nor one that does not.
func TestDictionaryAllocates(t *testing.T) {
	if raceEnabled {
		t.Skip("sync.Pool forgets at random under the race detector")
	}
	d := DefaultDictionary()
	bodies := append(packed(t, heldOut()[:50]), []byte("\xa5short"), bytes.Repeat([]byte{0xc0}, 70_000))
	dst := make([]byte, 0, 1<<17)
	for i, body := range bodies {
		if n := testing.AllocsPerRun(20, func() { dst = d.AppendLZ4(dst[:0], body) }); n != 0 {
			t.Errorf("body %d, of %d bytes: %v allocations", i, len(body), n)
		}
	}
}

func BenchmarkDictionary(b *testing.B) {
	d := DefaultDictionary()
	bodies := packed(b, heldOut())
	bench := func(name string, f func(dst, body []byte) []byte) {
		b.Run(name, func(b *testing.B) {
			var dst []byte
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				dst = f(dst[:0], bodies[i%len(bodies)])
			}
		})
	}
	bench("Dictionary.AppendLZ4", d.AppendLZ4)
	bench("AppendLZ4", AppendLZ4)
	c := d.LZ4(MsgPack)
	blocks := make([][]byte, len(bodies))
	for i, body := range bodies {
		blocks[i] = d.AppendLZ4(nil, body)
	}
	b.Run("Decode", func(b *testing.B) {
		b.ReportAllocs()
		var r Raw
		for i := 0; b.Loop(); i++ {
			if err := c.Decode(blocks[i%len(blocks)], &r); err != nil {
				b.Fatal(fmt.Errorf("event %d: %w", i, err))
			}
		}
	})
}
