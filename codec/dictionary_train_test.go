package codec

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// notes are samples that have most in common, and differ in a number.
func notes(n int) (samples [][]byte) {
	for i := range n {
		body, _ := AppendMsgPackFromJSON(nil, fmt.Appendf(nil, `{"kind":"note","id":"%019d","author":{"name":"ada","id":"%018d"},"text":"hello"}`, uint64(i+1)*0x9e3779b97f4a7c15>>1, i*i+7), Limits{})
		samples = append(samples, body)
	}
	return samples
}

func TestTrainDictionary(t *testing.T) {
	samples := notes(200)
	d, err := TrainDictionary("notes", samples, 200)
	if err != nil || len(d.Bytes()) > 200 || d.ID() != "notes" {
		t.Fatalf("%v, %v", d, err)
	}
	again, err := TrainDictionary("notes", samples, 200)
	if err != nil || !bytes.Equal(again.Bytes(), d.Bytes()) {
		t.Errorf("the same samples give %q, then %q, %v", d.Bytes(), again.Bytes(), err)
	}
	fresh := notes(300)[200:]
	plain := 0
	for _, body := range fresh {
		plain += len(body)
	}
	if got := d.total(fresh); got > plain*6/10 {
		t.Errorf("%d bytes became %d", plain, got)
	}

	// With room for them, the digits pay.
	large, err := TrainDictionary("notes", samples, 12_000)
	if err != nil || !bytes.Contains(large.Bytes(), everyFourDigits()) {
		t.Fatalf("no digits: %v", err)
	}
	if small, got := d.total(fresh), large.total(fresh); got >= small {
		t.Errorf("%d bytes without the digits, %d with them", small, got)
	}
}

func TestTrainDictionaryRefuses(t *testing.T) {
	for _, tc := range []struct {
		name    string
		id      string
		samples [][]byte
		size    int
	}{
		{"a size of nothing", "a", notes(20), 0},
		{"a size of less than a match", "a", notes(20), 3},
		{"a size too large", "a", notes(20), MaxDictionary + 1},
		{"a bad id", "a b", notes(20), 1000},
		{"no samples", "a", nil, 20_000},
		{"one sample", "a", notes(1), 1000},
		{"samples of noise", "a", [][]byte{noise(1, 50), noise(2, 50), noise(3, 50)}, 1000},
		{"samples too short", "a", [][]byte{{1}, {1}, {1}, nil}, 1000},
	} {
		if d, err := TrainDictionary(tc.id, tc.samples, tc.size); !errors.Is(err, ErrDictionary) || d != nil {
			t.Errorf("%s: %v", tc.name, err)
		}
	}
}

// TestTrainDictionarySizes: any size is kept to, also where everything is used equally often, and with
// samples longer than the dictionary reaches.
func TestTrainDictionarySizes(t *testing.T) {
	same := bytes.Repeat([]byte("abcdefghijklmnopqrstuvwxyz0123456789"), 40)
	for _, samples := range [][][]byte{notes(50), {same, same, same}, {noise(1, 3000), noise(1, 3000)}, {noise(2, 70_000), noise(2, 70_000)}} {
		for _, size := range []int{4, 100, 10_003, 10_100} {
			d, err := TrainDictionary("a", samples, size)
			if err != nil || len(d.Bytes()) > size {
				t.Fatalf("size %d: %v", size, err)
			}
			for _, body := range samples {
				checkBlock(t, d, body)
			}
		}
	}
}

func TestEveryFourDigits(t *testing.T) {
	s := everyFourDigits()
	seen := map[string]bool{}
	for i := range len(s) - 3 {
		seen[string(s[i:i+4])] = true
	}
	if len(s) != 10_003 || len(seen) != 10_000 {
		t.Errorf("%d digits hold %d different four", len(s), len(seen))
	}
}
