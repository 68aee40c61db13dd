package redis

import (
	"maps"
	"slices"
	"testing"
)

func set(channels ...string) map[string]struct{} {
	m := make(map[string]struct{})
	for _, channel := range channels {
		m[channel] = struct{}{}
	}
	return m
}

func TestChanges(t *testing.T) {
	long := string(make([]byte, mostTold))
	for _, channels := range []map[string]struct{}{set(), set(""), set("a", "b", "\x00\xff"), set(long+"1", long+"2", "3")} {
		var got []string
		for _, told := range encode("me", channels) {
			origin, some, err := decode(told)
			if err != nil || origin != "me" {
				t.Fatalf("origin %q, %v", origin, err)
			}
			got = append(got, some...)
		}
		slices.Sort(got)
		if want := slices.Sorted(maps.Keys(channels)); !slices.Equal(got, want) {
			t.Errorf("got %d channels, want %d", len(got), len(want))
		}
	}
	for _, told := range []string{"", "\x02\x01a", "\x01", "\x01\x05a", "\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"} {
		if origin, channels, err := decode([]byte(told)); err == nil {
			t.Errorf("%q is %q and %q", told, origin, channels)
		}
	}
}

func FuzzChanges(f *testing.F) {
	for _, told := range encode("me", set("a", "b")) {
		f.Add(told)
	}
	f.Add([]byte("\x01\x00\x05a"))
	f.Fuzz(func(t *testing.T, told []byte) {
		origin, channels, err := decode(told)
		if err != nil {
			return
		}
		again := field([]byte{changesVersion}, origin)
		for _, channel := range channels {
			again = field(again, channel)
		}
		if origin2, channels2, err := decode(again); err != nil || origin2 != origin || !slices.Equal(channels2, channels) {
			t.Errorf("%q: %q %q, then %q %q, %v", told, origin, channels, origin2, channels2, err)
		}
	})
}
