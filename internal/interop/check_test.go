package interop

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func count(seen []dispatch, kind string) (n int) {
	for _, d := range seen {
		if d.T == kind {
			n++
		}
	}
	return n
}

func only(contents []string, prefix string) []string {
	return slices.DeleteFunc(contents, func(c string) bool { return !strings.HasPrefix(c, prefix) })
}

// checkDispatches says what is wrong with all that a library was sent: there is
// one session, each of its sequences once and in order, and so each ping.
func checkDispatches(seen []dispatch, last int) (problems []string) {
	if n := count(seen, "READY"); n != 1 {
		problems = append(problems, fmt.Sprintf("READY came %d times", n))
	}
	next, ping := 1, 1
	for _, d := range seen {
		if d.Session != seen[0].Session || d.Session == "" {
			return append(problems, fmt.Sprintf("%s %d is of session %q, the first was of %q", d.T, d.S, d.Session, seen[0].Session))
		}
		if d.T == "RESUMED" { // takes no sequence
			continue
		}
		if d.S != next {
			return append(problems, fmt.Sprintf("%s %q has sequence %d, want %d", d.T, d.Content, d.S, next))
		}
		next++
		if d.T == "MESSAGE_CREATE" && strings.HasPrefix(d.Content, "ping ") {
			if want := fmt.Sprint("ping ", ping); d.Content != want {
				return append(problems, fmt.Sprintf("%s came, want %s", d.Content, want))
			}
			ping++
		}
	}
	if ping != last+1 {
		problems = append(problems, fmt.Sprintf("%d pings came, want %d", ping-1, last))
	}
	return problems
}

// checkPongs wants each once; their order is the library's.
func checkPongs(pongs []string, last int) (problems []string) {
	times := make(map[string]int)
	for _, p := range pongs {
		times[p]++
	}
	for n := 1; n <= last; n++ {
		if p := fmt.Sprint("pong ", n); times[p] != 1 {
			problems = append(problems, fmt.Sprintf("%s is there %d times", p, times[p]))
		}
	}
	if len(problems) == 0 && len(pongs) != last {
		problems = append(problems, fmt.Sprintf("%d pongs, want %d", len(pongs), last))
	}
	return problems
}

func TestChecks(t *testing.T) {
	ready := dispatch{S: 1, T: "READY", Session: "a"}
	resumed := func(s int) dispatch { return dispatch{S: s, T: "RESUMED", Session: "a"} }
	ping := func(s, n int) dispatch {
		return dispatch{S: s, T: "MESSAGE_CREATE", Content: fmt.Sprint("ping ", n), Session: "a"}
	}
	other := ping(3, 2)
	other.Session = "b"
	for _, tt := range []struct {
		name string
		seen []dispatch
		want string
	}{
		{"good", []dispatch{ready, ping(2, 1), resumed(2), ping(3, 2), resumed(3)}, ""},
		{"lost", []dispatch{ready, ping(2, 1), resumed(2), ping(4, 3)}, `MESSAGE_CREATE "ping 3" has sequence 4, want 3`},
		{"lost before it had a sequence", []dispatch{ready, ping(2, 1), ping(3, 3)}, "ping 3 came, want ping 2"},
		{"lost at the end", []dispatch{ready, ping(2, 1)}, "1 pings came, want 2"},
		{"sent again", []dispatch{ready, ping(2, 1), resumed(2), ping(2, 1), ping(3, 2)}, `MESSAGE_CREATE "ping 1" has sequence 2, want 3`},
		{"sent again as another", []dispatch{ready, ping(2, 1), ping(3, 1), ping(4, 2)}, "ping 1 came, want ping 2"},
		{"another session", []dispatch{ready, ping(2, 1), other}, `MESSAGE_CREATE 3 is of session "b", the first was of "a"`},
		{"READY twice", []dispatch{ready, {S: 2, T: "READY", Session: "a"}, ping(3, 1), ping(4, 2)}, "READY came 2 times"},
		{"nothing", nil, "READY came 0 times; 0 pings came, want 2"},
	} {
		if got := strings.Join(checkDispatches(tt.seen, 2), "; "); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
	for pongs, want := range map[string]string{
		"pong 2,pong 1":        "",
		"pong 1":               "pong 2 is there 0 times",
		"pong 1,pong 2,pong 1": "pong 1 is there 2 times",
		"pong 1,pong 2,pong 3": "3 pongs, want 2",
	} {
		if got := strings.Join(checkPongs(strings.Split(pongs, ","), 2), "; "); got != want {
			t.Errorf("%s: %q, want %q", pongs, got, want)
		}
	}
}
