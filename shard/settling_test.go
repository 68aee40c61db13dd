package shard

import (
	"strings"
	"testing"
	"time"
)

// What is read each second is believed when it has been the same for three, or changes for thirty.
func TestSettling(t *testing.T) {
	for _, tt := range []struct{ name, read, want string }{
		// a letter is a set of members; a is believed at first
		{"nothing new", "aaaaaa", "aaaaaa"},
		{"settles", "abbbbbb", "aaaabbb"},
		{"is back in time", "abbabbb", "aaaaaaa"},
		{"another meanwhile", "abbcccc", "aaaaaac"},
		{"there and back", "abbbbaaaa", "aaaabbbba"},
		{"never the same", "a" + strings.Repeat("bc", 17), strings.Repeat("a", 31) + "bbbc"},
	} {
		var s settling
		set := func(letter byte) []Member { return []Member{{ID: string(letter)}} }
		believed, got := byte('a'), ""
		start := time.Now()
		for i := range len(tt.read) {
			if s.heard(start.Add(time.Duration(i)*time.Second), set(believed), set(tt.read[i]), 3*time.Second) {
				believed = tt.read[i]
			}
			got += string(believed)
		}
		if tt.name == "never the same" {
			if !strings.HasPrefix(got, strings.Repeat("a", 31)) || got[31] == 'a' {
				t.Errorf("%s: %s", tt.name, got)
			}
			continue
		}
		if got != tt.want {
			t.Errorf("%s: %s is believed as %s, want %s", tt.name, tt.read, got, tt.want)
		}
	}
}
