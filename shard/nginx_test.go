package shard

import (
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"testing"
)

// nginxKnown is what nginx 1.22.1 answered. TestNginxKnown asks the nginx that is installed.
var nginxKnown = struct {
	nodes  []Node
	owners map[string]string
}{
	[]Node{{"127.64.0.1:18081", 1}, {"127.64.0.2:18082", 2}, {"127.64.0.3:18083", 1}},
	map[string]string{
		"a":                       "127.64.0.2:18082",
		"abc":                     "127.64.0.2:18082",
		"ann":                     "127.64.0.3:18083",
		"bob":                     "127.64.0.2:18082",
		"cid":                     "127.64.0.2:18082",
		"user:1":                  "127.64.0.2:18082",
		"user:2":                  "127.64.0.3:18083",
		"user:3":                  "127.64.0.2:18082",
		"user:197038439483310086": "127.64.0.3:18083",
		"guild:7":                 "127.64.0.2:18082",
		"0123456789012345678901234567890123456789": "127.64.0.2:18082",
		"x.y-z_1": "127.64.0.1:18081",
	},
}

func mustNginx(t testing.TB, nodes ...Node) *NginxRing {
	t.Helper()
	r, err := NewNginxRing(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestNginxRingAgreesWithWhatIsKnown(t *testing.T) {
	r := mustNginx(t, nginxKnown.nodes...)
	for key, want := range nginxKnown.owners {
		if got := r.Owner(key); got != want {
			t.Errorf("%q: %s, nginx had %s", key, got, want)
		}
	}
	if len(nginxKnown.owners) < 10 {
		t.Error("too little is known")
	}
}

func TestNginxRingRefuses(t *testing.T) {
	tests := []struct {
		name  string
		nodes []Node
		want  error
	}{
		{"nothing", nil, ErrEmpty},
		{"no ID", []Node{{}}, ErrInvalid},
		{"negative", []Node{{"a", -1}}, ErrInvalid},
		{"heavy", []Node{{"a", MaxWeight + 1}}, ErrInvalid},
		{"twice", []Node{{"a", 1}, {"b", 1}, {"a", 2}}, ErrDuplicate},
		{"many", some(MaxNodes+1, 1), ErrTooMany},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := NewNginxRing(tt.nodes...); !errors.Is(err, tt.want) {
				t.Errorf("%v, want %v", err, tt.want)
			}
		})
	}
}

func TestCRC(t *testing.T) {
	for i := range 100 {
		key := fmt.Sprint("key", strings.Repeat("\xff", i))
		if got, want := crcOf(key), crc32.ChecksumIEEE([]byte(key)); got != want {
			t.Errorf("%q: %08x, want %08x", key, got, want)
		}
	}
}

func TestSplitServer(t *testing.T) {
	for server, want := range map[string][2]string{
		"10.0.0.1:8080":    {"10.0.0.1", "8080"},
		"node.example":     {"node.example", ""},
		"node.example:":    {"node.example", ""},
		"[::1]:80":         {"[::1]", "80"},
		"[::1]":            {"[::1]", ""},
		"a:b":              {"a:b", ""},
		"unix:/run/a:1":    {"/run/a:1", ""},
		"UNIX:/run/a":      {"/run/a", ""},
		"node.example:80a": {"node.example:80a", ""},
	} {
		if host, port := splitServer(server); [2]string{host, port} != want {
			t.Errorf("%s: %q %q, want %q", server, host, port, want)
		}
	}
}

// Keys beyond the last point belong to the first.
func TestNginxRingWraps(t *testing.T) {
	r := mustNginx(t, some(3, 1)...)
	first, last := r.points[0], r.points[len(r.points)-1]
	wrapped, between := 0, 0
	for i := range 100_000 {
		key := fmt.Sprint(i)
		at, hash := r.find(key), crcOf(key)
		switch {
		case hash > last.hash:
			wrapped++
			if at != 0 {
				t.Fatalf("%s is beyond the last point, and gets point %d", key, at)
			}
		case hash > first.hash:
			between++
			if r.points[at].hash < hash || r.points[at-1].hash >= hash {
				t.Fatalf("%s at %d gets point %d", key, hash, at)
			}
		}
	}
	if wrapped == 0 || between == 0 {
		t.Errorf("%d and %d keys: nothing was shown", wrapped, between)
	}
}

// Of two points at one place the earlier server's is the one that counts.
func TestNginxRingCoincidence(t *testing.T) {
	r := mustNginx(t, Node{ID: "a"}, Node{ID: "a:"}) // which hash alike
	if n := len(r.points); n != nginxPoints {
		t.Errorf("%d points, want %d", n, nginxPoints)
	}
	for i := range 100 {
		if id := r.Owner(fmt.Sprint(i)); id != "a" {
			t.Fatalf("%d belongs to %q", i, id)
		}
	}
}

// A server that goes moves what it had and nothing else, to the servers to which
// nginx sends it while it is down.
func TestNginxRingMoves(t *testing.T) {
	nodes := some(6, 3)
	all, less := mustNginx(t, nodes...), mustNginx(t, slices.Delete(slices.Clone(nodes), 2, 3)...)
	for i := range 20_000 {
		key := fmt.Sprint("user:", i)
		if was := all.Owner(key); was != "node-2" && less.Owner(key) != was {
			t.Fatalf("%s moves from %s to %s", key, was, less.Owner(key))
		}
		if got, ok := all.OwnerWithin(key, func(id string) bool { return id != "node-2" }); !ok || got != less.Owner(key) {
			t.Fatalf("%s: %q with node-2 down, %q without it", key, got, less.Owner(key))
		}
	}
}

func TestNginxRingGivesUp(t *testing.T) {
	r := mustNginx(t, some(3, 1)...)
	tries := 0
	if id, ok := r.OwnerWithin("a", func(string) bool { tries++; return false }); ok || id != "" {
		t.Errorf("nobody is up, and yet %q", id)
	}
	if tries != nginxTries+1 {
		t.Errorf("%d points were looked at, nginx looks at %d", tries, nginxTries+1)
	}
}

func TestNginxRingNodes(t *testing.T) {
	given := []Node{{"b", 0}, {"a", 2}}
	r := mustNginx(t, given...)
	if want := []Node{{"b", 1}, {"a", 2}}; !slices.Equal(r.Nodes(), want) || r.Len() != 2 {
		t.Errorf("%v, want %v", r.Nodes(), want)
	}
	if given[0].Weight != 0 {
		t.Error("the caller's slice was changed")
	}
}

func TestNginxRingDoesNotAllocate(t *testing.T) {
	r := mustNginx(t, some(10, 1)...)
	key := "user:197038439483310086"
	if n := testing.AllocsPerRun(1000, func() { sinkString = r.Owner(key) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkNginxRing(b *testing.B) {
	for _, nodes := range []int{3, 64} {
		b.Run(fmt.Sprint(nodes), func(b *testing.B) {
			r := mustNginx(b, some(nodes, 1)...)
			b.ReportAllocs()
			for i := range b.N {
				sinkString = r.Owner(benchKeys[i&(len(benchKeys)-1)])
			}
		})
	}
}
