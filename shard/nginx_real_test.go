package shard

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// nginxUpstream is one upstream, as nginx has it and as NginxRing has it.
type nginxUpstream struct {
	name  string
	nodes []Node
	down  map[string]bool // marked down
	dead  map[string]bool // nobody listens there
}

func (u nginxUpstream) up(id string) bool { return !u.down[id] && !u.dead[id] }

// config is a front that hashes by the query's key and says in a header whom it has asked, and
// the servers behind it.
func (u nginxUpstream) config(addr string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "upstream nodes {\n    hash $arg_key consistent;")
	for _, n := range u.nodes {
		mark := ""
		if u.down[n.ID] {
			mark = " down"
		}
		fmt.Fprintf(&b, "    server %s weight=%d%s;\n", n.ID, max(n.Weight, 1), mark)
	}
	fmt.Fprintln(&b, "}")
	fmt.Fprintf(&b, "server { listen %s; location / { proxy_pass http://nodes; proxy_connect_timeout 2s; } }\n", addr)
	for _, n := range u.nodes {
		if !u.dead[n.ID] {
			fmt.Fprintf(&b, "server { listen %s; return 200 %q; }\n", n.ID, n.ID)
		}
	}
	return b.String()
}

// asked is which server nginx asks for a key, which it takes as it stands in the query.
func asked(t *testing.T, addr, key string) string {
	t.Helper()
	resp, err := http.Get("http://" + addr + "/?key=" + key)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("key %q: %s %q %v", key, resp.Status, body, err)
	}
	return string(body)
}

// freeAddresses are n where nobody listens, on addresses of the loopback network that connections do not start from.
func freeAddresses(t *testing.T, n int) (addrs []string) {
	t.Helper()
	for i := range n {
		l, err := net.Listen("tcp", fmt.Sprintf("127.%d.%d.%d:0", os.Getpid()>>16&0x3F+64, os.Getpid()>>8&0xFF, os.Getpid()&0x3F<<2+i%4))
		if err != nil {
			t.Skipf("the loopback network: %v", err)
		}
		defer l.Close()
		addrs = append(addrs, l.Addr().String())
	}
	return addrs
}

// TestNginxAgrees asks a real nginx for thousands of keys.
func TestNginxAgrees(t *testing.T) {
	addrs := freeAddresses(t, 10)
	weighted := func(n, heaviest int) (nodes []Node) {
		for i, addr := range addrs[:n] {
			nodes = append(nodes, Node{addr, 1 + i%heaviest})
		}
		return nodes
	}
	socket := func(nodes []Node) []Node {
		dir, err := os.MkdirTemp("", "gatehouse-shard-") // short: a socket's path has 108 bytes
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		return append(nodes, Node{ID: "unix:" + filepath.Join(dir, "s")})
	}
	tests := []nginxUpstream{
		{name: "2 servers", nodes: weighted(2, 1)},
		{name: "3 servers", nodes: weighted(3, 1)},
		{name: "10 servers", nodes: weighted(10, 1)},
		{name: "7 servers with weights", nodes: weighted(7, 4)},
		{name: "a socket among 4", nodes: socket(weighted(3, 2))},
		{name: "one of 5 is marked down", nodes: weighted(5, 2), down: map[string]bool{addrs[2]: true}},
		{name: "one of 5 does not answer", nodes: weighted(5, 1), dead: map[string]bool{addrs[1]: true}},
		{name: "3 of 6 are gone", nodes: weighted(6, 1), down: map[string]bool{addrs[0]: true, addrs[5]: true}, dead: map[string]bool{addrs[1]: true}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ring, err := NewNginxRing(tt.nodes...)
			if err != nil {
				t.Fatal(err)
			}
			nginx := servers.Nginx(t, tt.config)
			hits := map[string]int{}
			for i := range 3000 {
				key := fmt.Sprint("user-", i*i)
				want, ok := ring.OwnerWithin(key, tt.up)
				got := asked(t, nginx.Addr(), key)
				if ok && got != want {
					t.Fatalf("key %q: nginx asks %s, ours is %s", key, got, want)
				}
				if ok && tt.up(ring.Owner(key)) && ring.Owner(key) != want {
					t.Fatalf("key %q: Owner %s, OwnerWithin %s", key, ring.Owner(key), want)
				}
				hits[got]++
			}
			for _, n := range tt.nodes {
				if tt.up(n.ID) != (hits[n.ID] > 0) {
					t.Errorf("%s was asked %d times", n.ID, hits[n.ID])
				}
			}
		})
	}
}

// TestNginxKnown asks a real nginx for what nginxKnown has.
func TestNginxKnown(t *testing.T) {
	nginx := servers.Nginx(t, nginxUpstream{nodes: nginxKnown.nodes}.config)
	for key, want := range nginxKnown.owners {
		if got := asked(t, nginx.Addr(), key); got != want {
			t.Errorf("%q: nginx asks %s, nginxKnown has %s", key, got, want)
		}
	}
}
