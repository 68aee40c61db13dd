package servers

import (
	"testing"
	"time"
)

func TestParseOrder(t *testing.T) {
	tests := []struct {
		line string
		want order
		ok   bool
	}{
		{"publish 20 128", order{verb: "publish", n: 20, size: 128}, true},
		{"rate 50 100 128", order{verb: "rate", perSecond: 50, n: 100, size: 128}, true},
		{"  stats  ", order{verb: "stats"}, true},
		{"collect", order{verb: "collect"}, true},
		{"profile a.prof", order{verb: "profile", file: "a.prof"}, true},
		{"stop", order{verb: "stop"}, true},
		{"stages", order{verb: "stages"}, true},
		{"", order{}, false},
		{"quit", order{}, false},
		{"stats 1", order{}, false},
		{"profile", order{}, false},
		{"publish 1", order{}, false},
		{"publish 1 2 3", order{}, false},
		{"publish one 128", order{}, false},
		{"publish 1 -128", order{}, false},
		{"publish 1 2000000", order{}, false},
		{"rate 0 100 128", order{}, false}, // the time between two events would be endless
	}
	for _, tt := range tests {
		got, err := parseOrder(tt.line)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%q: %+v, %v, want %+v", tt.line, got, err, tt.want)
		}
	}
}

func FuzzParseOrder(f *testing.F) {
	for _, line := range []string{"publish 20 128", "rate 50 100 128", "profile x", "stats", "\x00", "rate 9999999999999999999 1 1"} {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		o, err := parseOrder(line)
		if err != nil {
			return
		}
		if o.verb == "rate" && time.Second/time.Duration(o.perSecond) < 0 {
			t.Errorf("%q: %+v", line, o)
		}
		if publishes := o.verb == "rate" || o.verb == "publish"; publishes != (o.n > 0 && o.size > 0) {
			t.Errorf("%q: %+v", line, o)
		}
	})
}
