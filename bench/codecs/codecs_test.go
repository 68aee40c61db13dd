package codecs

import (
	"bytes"
	"encoding/json"
	"strings"
	"sync"
	"testing"
)

// encodings trains zstd once for all tests.
var encodings = sync.OnceValues(All)

// Every encoding gives back what was published, at every size of batch; Sizes fails
// otherwise.
func TestEveryEncodingGivesBackWhatWasPublished(t *testing.T) {
	all, err := encodings()
	if err != nil {
		t.Fatal(err)
	}
	for _, batch := range []int{1, 10} {
		messages := Messages(300, batch)
		for _, e := range all {
			sizes, err := e.Sizes(messages)
			if err != nil {
				t.Error(err)
				continue
			}
			sum := 0.0
			for _, n := range sizes {
				sum += n
			}
			if len(sizes) != 300/batch || sum == 0 {
				t.Errorf("%s, batches of %d: %d sizes, %v bytes", e.Name, batch, len(sizes), sum)
			}
		}
	}
}

func TestSizesNoticesAWrongMessage(t *testing.T) {
	all, err := encodings()
	if err != nil {
		t.Fatal(err)
	}
	e := all[0]
	e.encoder = plain(func(dst, message []byte) ([]byte, error) {
		return append(dst, bytes.Replace(message, []byte(`"id"`), []byte(`"ID"`), 1)...), nil
	})
	if _, err := e.Sizes(Messages(10, 1)); err == nil || !strings.Contains(err.Error(), "not what was published") {
		t.Errorf("error %v", err)
	}
}

// A stream makes the later of two equal messages small; what stands alone does not.
func TestStreamsRemember(t *testing.T) {
	all, err := encodings()
	if err != nil {
		t.Fatal(err)
	}
	long := Messages(100, 10)[0]
	for _, e := range all {
		sizes, err := e.Sizes([]Message{long, long})
		if err != nil {
			t.Fatal(err)
		}
		if remembers := sizes[1] < sizes[0]/4; remembers != e.Stream {
			t.Errorf("%s, stream %v: %v bytes", e.Name, e.Stream, sizes)
		}
	}
}

func TestMessages(t *testing.T) {
	if n := len(Messages(95, 1)); n != 95 {
		t.Errorf("%d alone", n)
	}
	alone, batches := Messages(95, 1), Messages(95, 10)
	if len(batches) != 9 {
		t.Errorf("%d batches of 10 of 95", len(batches))
	}
	var events []json.RawMessage
	if err := json.Unmarshal(batches[1].JSON, &events); err != nil || len(events) != 10 || !bytes.Equal(events[0], alone[10].JSON) {
		t.Errorf("the second batch: %d events, %v", len(events), err)
	}
	for _, m := range alone {
		if m.Type == "" || !json.Valid(m.JSON) {
			t.Fatalf("%q: %s", m.Type, m.JSON)
		}
	}
}

// What is measured is not what a dictionary was made of.
func TestHeldOut(t *testing.T) {
	seen := map[string]bool{}
	for _, e := range training() {
		seen[string(e.Data)] = true
	}
	for _, e := range heldOut() {
		if seen[string(e.Data)] {
			t.Fatalf("was in training: %s", e.Data)
		}
	}
}

func TestMemoryAndCPU(t *testing.T) {
	all, err := encodings()
	if err != nil {
		t.Fatal(err)
	}
	messages := Messages(50, 1)
	for _, e := range all {
		bytes, err := e.Memory(messages)
		if err != nil || (bytes > 100_000) != e.Stream || !e.Stream && bytes != 0 {
			t.Errorf("%s: %v bytes for a connection, %v", e.Name, bytes, err)
		}
		encode, decode, err := e.CPU(messages, 0.001)
		if err != nil || encode < 0 || decode <= 0 {
			t.Errorf("%s: encode %v s, decode %v s, %v", e.Name, encode, decode, err)
		}
	}
}
