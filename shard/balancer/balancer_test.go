package balancer

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
)

// backends are servers that say their address.
func backends(t *testing.T, n int) (nodes []shard.Node) {
	t.Helper()
	for i := range n {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			addr := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
			io.WriteString(w, addr.String())
		}))
		t.Cleanup(srv.Close)
		nodes = append(nodes, shard.Node{ID: srv.Listener.Addr().String(), Weight: 1 + i%2})
	}
	return nodes
}

// ask is which node answers a request that has the key.
func ask(t *testing.T, addr string, key Key, value string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+addr+"/gateway?v=10", nil)
	if err != nil {
		t.Fatal(err)
	}
	switch key.From {
	case Query:
		req.URL.RawQuery += "&" + key.Name + "=" + value
	case Cookie:
		req.Header.Set("Cookie", "a=b; "+key.Name+"="+value)
	case Header:
		req.Header.Set(key.Name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s %s %v", resp.Status, body, err)
	}
	return string(body)
}

// keys are one of each source.
var keys = []Key{{Query, "user"}, {Cookie, "session_user"}, {Header, "X-User"}}

func listening(t *testing.T, make func(Options) (string, error), o Options) func(addr string) string {
	return func(addr string) string {
		o.Listen = addr
		config, err := make(o)
		if err != nil {
			t.Fatal(err)
		}
		return config
	}
}

// nginx sends each user to the node that shard.NginxRing says, wherever the user is named.
func TestNginxSendsWhereTheRingSays(t *testing.T) {
	nodes := backends(t, 4)
	ring, err := shard.NewNginxRing(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		t.Run(key.Name, func(t *testing.T) {
			nginx := servers.Nginx(t, listening(t, Nginx, Options{Nodes: nodes, Key: key}))
			for i := range 500 {
				user := fmt.Sprint("user-", i)
				if got, want := ask(t, nginx.Addr(), key, user), ring.Owner(user); got != want {
					t.Fatalf("%s is sent to %s, want %s", user, got, want)
				}
			}
		})
	}
}

// HAProxy sends each user to one node, and when one is taken from the middle of the list
// only its users go elsewhere.
func TestHAProxyIsSticky(t *testing.T) {
	nodes := backends(t, 4)
	without := append(nodes[:1:1], nodes[2:]...)
	for _, key := range keys {
		t.Run(key.Name, func(t *testing.T) {
			all := servers.HAProxy(t, listening(t, HAProxy, Options{Nodes: nodes, Key: key}))
			less := servers.HAProxy(t, listening(t, HAProxy, Options{Nodes: without, Key: key}))
			hits := map[string]int{}
			for i := range 500 {
				user := fmt.Sprint("user-", i)
				first := ask(t, all.Addr(), key, user)
				hits[first]++
				if again := ask(t, all.Addr(), key, user); again != first {
					t.Fatalf("%s is sent to %s, then to %s", user, first, again)
				}
				if after := ask(t, less.Addr(), key, user); first != nodes[1].ID && after != first {
					t.Fatalf("%s moves from %s to %s", user, first, after)
				}
			}
			if len(hits) != len(nodes) {
				t.Errorf("users are on %v", hits)
			}
		})
	}
}

// Who does not say who they are is sent to the nodes in turn.
func TestWithoutKey(t *testing.T) {
	nodes := backends(t, 3)
	o := Options{Nodes: nodes}
	for name, start := range map[string]func(t *testing.T) string{
		"nginx":   func(t *testing.T) string { return servers.Nginx(t, listening(t, Nginx, o)).Addr() },
		"HAProxy": func(t *testing.T) string { return servers.HAProxy(t, listening(t, HAProxy, o)).Addr() },
	} {
		t.Run(name, func(t *testing.T) {
			addr, hits := start(t), map[string]int{}
			for range 30 {
				hits[ask(t, addr, Key{Query, "other"}, "same")]++
			}
			if len(hits) != 3 {
				t.Errorf("they are on %v", hits)
			}
		})
	}
}

func TestRefuses(t *testing.T) {
	good := []shard.Node{{ID: "10.0.0.1:80"}}
	tests := map[string]Options{
		"no nodes":            {},
		"no port":             {Nodes: []shard.Node{{ID: "10.0.0.1"}}},
		"port 0":              {Nodes: []shard.Node{{ID: "10.0.0.1:0"}}},
		"port too high":       {Nodes: []shard.Node{{ID: "10.0.0.1:65536"}}},
		"a socket":            {Nodes: []shard.Node{{ID: "unix:/run/a:1"}}},
		"two words":           {Nodes: []shard.Node{{ID: "10.0.0.1 down:80"}}},
		"directives":          {Nodes: []shard.Node{{ID: "a;}server{:80"}}},
		"a line":              {Nodes: []shard.Node{{ID: "a\n:80"}}},
		"no address":          {Nodes: []shard.Node{{ID: "[::g]:80"}}},
		"a zone":              {Nodes: []shard.Node{{ID: "[fe80::1%eth 0]:80"}}},
		"half an address":     {Nodes: []shard.Node{{ID: "[::1:80"}}},
		"twice":               {Nodes: []shard.Node{{ID: "a:80"}, {ID: "a:80"}}},
		"too heavy":           {Nodes: []shard.Node{{ID: "a:80", Weight: 257}}},
		"negative":            {Nodes: []shard.Node{{ID: "a:80", Weight: -1}}},
		"listen nowhere":      {Nodes: good, Listen: "80"},
		"listen twice":        {Nodes: good, Listen: "*:80; listen *:81"},
		"a key with a dash":   {Nodes: good, Key: Key{Query, "user-id"}},
		"a key that says":     {Nodes: good, Key: Key{Header, "x; y"}},
		"a key from nowhere":  {Nodes: good, Key: Key{Header + 1, "x"}},
		"a path of a word":    {Nodes: good, Path: "u"},
		"a path that is open": {Nodes: good, Path: "/u"},
		"a path of nothing":   {Nodes: good, Path: "//"},
		"a path with a gap":   {Nodes: good, Path: "/u//"},
		"a path that says":    {Nodes: good, Path: "/u/ $1;} server {/"},
		"a path that matches": {Nodes: good, Path: "/u.*/"},
		"a name that says":    {Nodes: good, Name: "x {"},
		"a negative interval": {Nodes: good, Heartbeat: -1},
	}
	for name, o := range tests {
		t.Run(name, func(t *testing.T) {
			for _, make := range []func(Options) (string, error){Nginx, HAProxy} {
				if config, err := make(o); !errors.Is(err, ErrInvalid) || config != "" {
					t.Errorf("%v: %s", err, config)
				}
			}
		})
	}
}

// Who is named in the path is sent where the same is when named in the query, and the node sees the rest of
// the path and all of the query, whatever a library makes of its end.
func TestPath(t *testing.T) {
	var nodes []shard.Node
	for range 4 {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			fmt.Fprint(w, r.Context().Value(http.LocalAddrContextKey), " ", r.URL.RequestURI())
		}))
		t.Cleanup(srv.Close)
		nodes = append(nodes, shard.Node{ID: srv.Listener.Addr().String()})
	}
	ring, err := shard.NewNginxRing(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	get := func(t *testing.T, url string) (node, uri string) {
		resp, err := http.Get(url)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		node, uri, _ = strings.Cut(string(body), " ")
		return node, uri
	}
	for _, path := range []string{"/u/", "/v10/by-user_/"} {
		o := Options{Nodes: nodes, Path: path}
		for name, start := range map[string]func(t *testing.T) string{
			"nginx":   func(t *testing.T) string { return servers.Nginx(t, listening(t, Nginx, o)).Addr() },
			"HAProxy": func(t *testing.T) string { return servers.HAProxy(t, listening(t, HAProxy, o)).Addr() },
		} {
			t.Run(name+strings.ReplaceAll(path, "/", " "), func(t *testing.T) {
				base := "http://" + start(t)
				for i := range 200 {
					user := fmt.Sprint("user-", i)
					want, _ := get(t, base+"/gateway?v=10&user="+user)
					if owner := ring.Owner(user); name == "nginx" && want != owner {
						t.Fatalf("%s is sent to %s, want %s", user, want, owner)
					}
					for _, rest := range []string{"/gateway?v=10&encoding=json", "/gateway/?v=10", "/gateway", "/?v=10", "/", "/gateway/gateway/bot?user=somebody-else"} {
						if got, uri := get(t, base+path+user+rest); got != want || uri != rest {
							t.Fatalf("%s%s%s is %s at %s, want it at %s", path, user, rest, uri, got, want)
						}
					}
				}
				if _, uri := get(t, base+path[:len(path)-1]+"?v=10"); uri != path[:len(path)-1]+"?v=10" {
					t.Errorf("without a user it arrives as %s", uri)
				}
			})
		}
	}
}

// Every form of address is taken by the programs themselves.
func TestFormsOfAddresses(t *testing.T) {
	o := Options{Nodes: []shard.Node{{ID: "127.0.0.1:80"}, {ID: "[::1]:81"}, {ID: "localhost:82", Weight: 256}}, Name: "my_nodes"}
	t.Run("nginx", func(t *testing.T) { servers.Nginx(t, listening(t, Nginx, o)) })
	t.Run("HAProxy", func(t *testing.T) { servers.HAProxy(t, listening(t, HAProxy, o)) })
}

// A connection may be silent for longer than two heartbeats.
func TestSilence(t *testing.T) {
	for heartbeat, want := range map[time.Duration]string{0: "83s", 45 * time.Second: "91s", 300 * time.Millisecond: "1s"} {
		o := Options{Nodes: []shard.Node{{ID: "a:1"}}, Heartbeat: heartbeat}
		nginx, err := Nginx(o)
		if err != nil || !strings.Contains(nginx, "proxy_read_timeout "+want) || !strings.Contains(nginx, "proxy_send_timeout "+want) {
			t.Errorf("%v: %v\n%s", heartbeat, err, nginx)
		}
		haproxy, err := HAProxy(o)
		if err != nil || !strings.Contains(haproxy, "timeout tunnel "+want) {
			t.Errorf("%v: %v\n%s", heartbeat, err, haproxy)
		}
	}
}
