package kafka

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/twmb/franz-go/pkg/kgo"
)

// What is fetched is delivered once, and what is missing is told: in words, "epoch/offset:" and what
// comes of it. A record with a star is a cut.
func TestTail(t *testing.T) {
	for name, c := range map[string]struct{ fetched, want string }{
		"one after another":    {"3/7 3/8 3/9", "7 8 9"},
		"again":                {"3/7 3/8 3/7 3/8 3/9", "7 8 9"},
		"from before":          {"2/5 3/6 3/7", "7"},
		"another leader":       {"3/7 4/8 6/9", "7 8 9"},
		"a hole":               {"3/7 3/9", "7 gap 9"},
		"a hole at first":      {"3/8", "gap 8"},
		"a lost end":           {"3/7 3/8 4/8 4/9", "7 8 gap 8 9"},
		"a lost end, long ago": {"4/2 4/3", "gap 2 3"},
		"late ones of the end": {"3/7 4/8 3/8 3/9 4/9", "7 8 9"},
		"another version":      {"3/7 3/8! 3/9", "7 gap 9"},
		"cut by the client":    {"3/7 3/8 cut3/6 4/6 4/7", "7 8 gap 6 7"},
		"of no epoch":          {"-1/7 3/7", "7"},
		"a cut":                {"3/7 4/8* 4/9", "7 gap 9"},
		"cuts of many":         {"3/7 4/8* 4/9* 4/10 4/11*", "7 gap 10"},
		"a cut before it came": {"3/7 3/8* 3/9", "7 9"},
		"a cut that is known":  {"3/7 3/8 cut3/6 4/6 4/7* 4/8", "7 8 gap 6 8"},
		"a cut of the next":    {"3/7 3/8 cut3/6 4/6 5/7* 5/8", "7 8 gap 6 gap 8"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			var last gateway.Position
			client, err := kgo.NewClient(kgo.SeedBrokers("127.0.0.1:1")) // nobody
			if err != nil {
				t.Fatal(err)
			}
			defer client.Close()
			b := &Broker{events: &events{client: client, epoch: 1, base: context.Background(),
				opts: BrokerOptions{Logger: slog.New(slog.DiscardHandler)}}}
			tl := newTail(b, 0)
			tl.reading, tl.next, tl.told = true, place{3, 7}, 3
			f := &feed{broker: b, deliver: func(rec gateway.Record) {
				if rec.Gap {
					got = append(got, "gap")
					return
				}
				if rec.Position.Offset <= last.Offset {
					t.Errorf("%x behind %x", rec.Position.Offset, last.Offset)
				}
				last = rec.Position
				got = append(got, string(rec.Data))
			}}
			if _, err := tl.join("a", f); err != nil {
				t.Fatal(err)
			}
			for _, text := range strings.Fields(c.fetched) {
				r := &kgo.Record{}
				where, cut := strings.CutPrefix(text, "cut")
				fmt.Sscanf(where, "%d/%d", &r.LeaderEpoch, &r.Offset)
				r.Value = encodeRecord(gateway.Record{Topic: "a", Data: fmt.Append(nil, r.Offset)})
				if cut {
					tl.trouble(&kgo.ErrDataLoss{ResetTo: r.Offset, ResetToEpoch: r.LeaderEpoch})
					continue
				}
				if strings.HasSuffix(text, "!") {
					r.Value[0]++
				}
				if strings.HasSuffix(text, "*") {
					r.Value = []byte{cutVersion}
				}
				tl.take([]*kgo.Record{r})
			}
			if text := strings.Join(got, " "); text != c.want {
				t.Errorf("got %s, want %s", text, c.want)
			}
		})
	}
}

func TestPlace(t *testing.T) {
	last := uint64(0)
	for _, p := range []place{{-1, 1}, {0, 0}, {0, 1}, {0, 1 << 40}, {1, 0}, {1, 5}, {mostEpochs - 2, 7}} {
		n := p.packed()
		if n <= last || unpack(n) != p {
			t.Errorf("%v is %x, behind %x, and %v again", p, n, last, unpack(n))
		}
		last = n
	}
	if n := (place{mostEpochs + 7, 9}).packed(); n <= last || unpack(n) != (place{-1, 9}) {
		t.Errorf("an epoch without room is %x, %v", n, unpack(n))
	}
	if n := (place{-1, 0}).packed(); n != 0 {
		t.Errorf("before the first: %x", n)
	}
}

// Nodes of several versions agree where a topic is, and what a record is.
func TestWireFormat(t *testing.T) {
	for topic, want := range map[string]uint32{"": 1, "guild:7": 8, "user:123456789": 44} {
		if n := partitionOf(topic, 64); n != want {
			t.Errorf("%q is in partition %d, was in %d", topic, n, want)
		}
	}
	rec := gateway.Record{Topic: "guild:7", Type: "T", Key: "k", Data: []byte("{}"), Intent: 1 << 9, Class: gateway.Conflate}
	value := []byte("\x01\x01\x80\x04\x07guild:7\x01T\x01k{}")
	if got := encodeRecord(rec); !bytes.Equal(got, value) {
		t.Errorf("%q", got)
	}
	back, ok := decodeRecord(value)
	if !ok || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", rec) {
		t.Errorf("%+v", back)
	}
	for n := range len(value) - len("{}") {
		if got, ok := decodeRecord(value[:n]); ok {
			t.Errorf("%q is %+v", value[:n], got)
		}
	}
}

func FuzzDecodeRecord(f *testing.F) {
	f.Add([]byte("\x01\x01\x80\x04\x07guild:7\x01T\x01k{}"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if rec, ok := decodeRecord(b); ok {
			if back, ok := decodeRecord(encodeRecord(rec)); !ok || fmt.Sprintf("%+v", back) != fmt.Sprintf("%+v", rec) {
				t.Errorf("%+v became %+v", rec, back)
			}
		}
	})
}
