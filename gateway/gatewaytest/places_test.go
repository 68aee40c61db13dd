package gatewaytest

import (
	"fmt"
	"testing"
)

func TestNewestPlaces(t *testing.T) {
	var p places
	for i := range 4 {
		p.note(fmt.Sprintf("tag%d:1", i))
	}
	p.note("tag1:2")
	p.note("no place")
	for _, test := range []struct {
		bytes int
		want  string
	}{
		{8, "[]"}, {9, "[tag1:2]"}, {26, "[tag1:2 tag3:1]"}, {27, "[tag1:2 tag3:1 tag2:1]"}, {1000, "[tag1:2 tag3:1 tag2:1 tag0:1]"},
	} {
		if got := fmt.Sprint(p.newest(test.bytes)); got != test.want {
			t.Errorf("%d bytes: %s, want %s", test.bytes, got, test.want)
		}
	}
}
