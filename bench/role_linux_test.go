package main

import (
	"slices"
	"testing"
)

func TestParseCrowdOrder(t *testing.T) {
	for line, want := range map[string]struct {
		verb  string
		share int
	}{"connect": {"connect", 0}, "reset": {"reset", 0}, "counts": {"counts", 0}, "drop 50": {"drop", 50}, "drop 0": {"drop", 0}, "drop 100": {"drop", 100}} {
		if verb, share, err := parseCrowdOrder(line); err != nil || verb != want.verb || share != want.share {
			t.Errorf("%q: %s %d, %v", line, verb, share, err)
		}
	}
	for _, line := range []string{"", "drop", "drop x", "drop 101", "drop -1", "drop 5 5", "connect 5", "stop"} {
		if verb, share, err := parseCrowdOrder(line); err == nil {
			t.Errorf("%q: %s %d", line, verb, share)
		}
	}
}

func FuzzParseCrowdOrder(f *testing.F) {
	f.Add("drop 50")
	f.Add("connect")
	f.Fuzz(func(t *testing.T, line string) {
		verb, share, err := parseCrowdOrder(line)
		if err == nil && (verb == "" || share < 0 || share > 100) {
			t.Errorf("%q: %s %d", line, verb, share)
		}
	})
}

func TestInShare(t *testing.T) {
	for _, percent := range []int{0, 1, 33, 50, 100} {
		n := 0
		for i := range 1000 {
			if inShare(i, percent) {
				n++
			}
		}
		if n != 10*percent {
			t.Errorf("%d %%: %d of 1000", percent, n)
		}
	}
}

func TestRoleRefuses(t *testing.T) {
	for _, args := range [][]string{
		{"serve"}, {"serve", "limit", "one", "0"}, {"serve", "limit", "1", "x"}, {"serve", "nobody", "1", "0"},
		{"crowd", "limit", "127.0.0.1:1"}, {"crowd", "limit", "127.0.0.1:1", "x"}, {"crowd", "limit", "nowhere", "1"},
	} {
		if err := role(args); err == nil {
			t.Errorf("%v was obeyed", args)
		}
	}
}

func TestSplit(t *testing.T) {
	for _, tt := range []struct {
		n, atMost int
		want      []int
	}{{10, 20, []int{10}}, {20, 20, []int{20}}, {21, 20, []int{10, 11}}, {100, 33, []int{25, 25, 25, 25}}, {0, 20, nil}} {
		if got := split(tt.n, tt.atMost); !slices.Equal(got, tt.want) {
			t.Errorf("%d in parts of %d: %v, want %v", tt.n, tt.atMost, got, tt.want)
		}
	}
}
