package kafka

import (
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// What one reader takes for a repetition every other does that has read as many records before it, wherever
// it began.
func TestRecentIsTheSameForAll(t *testing.T) {
	const n = 4 * recentRecords
	log := make([]*kgo.Record, n)
	for i := range log {
		rec := gateway.Record{Topic: "a"}
		switch {
		case i%7 == 0:
			rec.ID = fmt.Sprint(i % 900) // some within the window, some behind it
		case i%11 == 0:
			rec.ID = "often"
		}
		log[i] = &kgo.Record{Offset: int64(i), Headers: headersOf(rec)}
	}
	var whole recent
	repeats := make([]bool, n)
	count := 0
	for i, r := range log {
		if repeats[i] = whole.repeats(r); repeats[i] {
			count++
		}
	}
	if count == 0 || len(whole.order) > recentRecords+1 || len(whole.at) > len(whole.order) {
		t.Errorf("%d repeat, %d and %d are known", count, len(whole.order), len(whole.at))
	}
	for from := recentRecords; from < n; from += 97 {
		var late recent
		for i, r := range log[from-recentRecords:] {
			if got, at := late.repeats(r), from-recentRecords+i; at >= from && got != repeats[at] {
				t.Fatalf("record %d, read from %d: %v", at, from, got)
			}
		}
	}
}

func TestNamesAreOfTopics(t *testing.T) {
	seen := make(map[string]bool)
	for _, rec := range []gateway.Record{{Topic: "a", ID: "b"}, {Topic: "ab", ID: ""}, {Topic: "", ID: "ab"}, {Topic: "b", ID: "a"}} {
		for _, h := range headersOf(rec) {
			seen[string(h.Value)] = true
		}
	}
	if len(seen) != 3 {
		t.Errorf("%d names, want 3", len(seen))
	}
}
