package kafka

import (
	"context"
	"fmt"
	"log/slog"
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

// What was lost with the end of a log, and is published again, repeats nothing, though a late fetch may have
// brought it.
func TestLostRecordIsNotRepeated(t *testing.T) {
	b := &Broker{events: &events{epoch: 1, base: context.Background(), opts: BrokerOptions{Logger: slog.New(slog.DiscardHandler)}}}
	tl := newTail(b, 0)
	tl.reading, tl.next, tl.began = true, place{3, 7}, 7
	got := ""
	if _, err := tl.join("a", &feed{broker: b, deliver: func(rec gateway.Record) { got += string(rec.Data) + " " }}); err != nil {
		t.Fatal(err)
	}
	for _, r := range []struct {
		epoch  int32
		offset int64
		id     string
	}{{2, 5, "old"}, {3, 7, ""}, {4, 8, ""}, {3, 8, "lost"}, {3, 9, "lost too"}, {4, 9, "lost"}, {4, 10, "old"}, {4, 11, "lost too"}, {4, 12, "lost"}} {
		rec := gateway.Record{Topic: "a", ID: r.id, Data: fmt.Append(nil, r.offset)}
		tl.take([]*kgo.Record{{LeaderEpoch: r.epoch, Offset: r.offset, Headers: headersOf(rec), Value: encodeRecord(rec)}})
	}
	if want := "7 8 9 11 "; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
