package redis

import (
	"testing"
)

// Where a key belongs must never change: what is in a queue would be out of order.
func TestPartitionOf(t *testing.T) {
	q := &Queue{partitions: 16}
	for key, want := range map[string]int{"": 5, "a": 12, "7": 6, "channel": 4, "頻道": 4} {
		if got := q.partitionOf(key); got != want {
			t.Errorf("%q belongs to %d, want %d", key, got, want)
		}
	}
}

func TestQuota(t *testing.T) {
	for number := range 20 {
		for among := 1; among < 20; among++ {
			sum := 0
			for place := range among {
				n := quota(number, place, among)
				if n < number/among || n > number/among+1 {
					t.Errorf("%d of %d among %d", n, number, among)
				}
				sum += n
			}
			if sum != number {
				t.Errorf("%d among %d are %d", number, among, sum)
			}
		}
	}
}

// What a script answers may be anything, if somebody else writes to the keys.
func TestParse(t *testing.T) {
	fields := []any{"k", "key", "i", "id", "d", "data", "other", "x"}
	tests := []struct {
		name  string
		entry any
		want  string // the key; empty: an error
		id    string
	}{
		{"an item", []any{"1-0", int64(2), fields}, "key", "1-0"},
		{"nil", nil, "", ""},
		{"no id", []any{nil, int64(2), fields}, "", ""},
		{"no fields", []any{"1-0", int64(2), nil}, "", "1-0"},
		{"half a field", []any{"1-0", int64(2), []any{"k"}}, "", "1-0"},
		{"numbers", []any{"1-0", "2", []any{int64(1), int64(2)}}, "", "1-0"},
		{"no key", []any{"1-0", int64(2), fields[2:]}, "", "1-0"},
		{"too short", []any{"1-0"}, "", ""},
	}
	for _, tt := range tests {
		it, id, err := parse(tt.entry)
		if id != tt.id || (err == nil) != (tt.want != "") || err == nil && (it.Key != tt.want || it.ID != "id" || string(it.Data) != "data" || it.Tries != 2) {
			t.Errorf("%s: got %+v, id %q, %v", tt.name, it, id, err)
		}
	}
}
