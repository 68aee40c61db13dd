package gateway

import (
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/balancer"
)

// balancedNodes are gateways by their address, and nodes of a ring.
func balancedNodes(t *testing.T, n int) (map[string]*Gateway, []shard.Node) {
	t.Helper()
	options := shared(t, nil)
	gateways := map[string]*Gateway{}
	var nodes []shard.Node
	for range n {
		g, url := testGateway(t, options)
		addr := strings.TrimSuffix(strings.TrimPrefix(url, "ws://"), "/gateway")
		gateways[addr] = g
		nodes = append(nodes, shard.Node{ID: addr})
	}
	return gateways, nodes
}

// whereIs is the address of the node that has a session.
func whereIs(gateways map[string]*Gateway, session string) (addr string) {
	for at, g := range gateways {
		if g.find(session) != nil {
			addr += at
		}
	}
	return addr
}

// Behind a real nginx: everybody is where the ring says; when a node is added and
// nginx reloaded, those that Move sends away come back to the new node, once, and
// the others' connections stay as they are. Nobody loses an event.
func TestMoveBehindNginx(t *testing.T) {
	gateways, nodes := balancedNodes(t, 3)
	config := func(nodes []shard.Node) func(string) string {
		return func(addr string) string {
			config, err := balancer.Nginx(balancer.Options{Nodes: nodes, Listen: addr})
			if err != nil {
				t.Fatal(err)
			}
			return config
		}
	}
	ring := func(nodes []shard.Node) *shard.NginxRing {
		r, err := shard.NewNginxRing(nodes...)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	small, large := ring(nodes[:2]), ring(nodes)
	nginx := servers.Nginx(t, config(nodes[:2]))
	url := "ws://" + nginx.Addr() + "/gateway"
	var travellers []*traveller
	for _, user := range users(40) {
		v := newTraveller(t, url, user)
		if at := whereIs(gateways, v.session); at != small.Owner(user) {
			t.Fatalf("%s is at %q, the ring says %s", user, at, small.Owner(user))
		}
		travellers = append(travellers, v)
	}
	var reading sync.WaitGroup
	for _, v := range travellers {
		reading.Go(func() {
			if err := v.until(99); err != nil {
				t.Error(err)
			}
		})
	}
	any := gateways[nodes[0].ID]
	publishNumbers(t, any, "t", 0, 50)
	nginx.Reload(config(nodes))
	publishNumbers(t, any, "t", 50, 70)
	moved := 0
	for addr, g := range gateways {
		n, err := g.Move(t.Context(), func(s *Session) (string, bool) { return "", large.Owner(s.User().ID) != addr })
		if err != nil {
			t.Error(err)
		}
		moved += n
	}
	publishNumbers(t, any, "t", 70, 100)
	reading.Wait()
	want := 0
	for _, v := range travellers {
		moves := 0
		if small.Owner(v.user) != large.Owner(v.user) {
			moves = 1
		}
		want += moves
		if at := whereIs(gateways, v.session); at != large.Owner(v.user) || v.sent != moves || v.url != url {
			t.Errorf("%s is at %q by way of %s after %d moves, the ring says %s and %d", v.user, at, v.url, v.sent, large.Owner(v.user), moves)
		}
	}
	if moved != want || want == 0 {
		t.Errorf("%d sessions moved, want %d", moved, want)
	}
}

// Behind a real HAProxy who comes back comes to the node that has the session.
func TestResumeBehindHAProxy(t *testing.T) {
	gateways, nodes := balancedNodes(t, 3)
	proxy := servers.HAProxy(t, func(addr string) string {
		config, err := balancer.HAProxy(balancer.Options{Nodes: nodes, Listen: addr})
		if err != nil {
			t.Fatal(err)
		}
		return config
	})
	for _, user := range users(20) {
		v := newTraveller(t, "ws://"+proxy.Addr()+"/gateway", user)
		at := whereIs(gateways, v.session)
		v.c.ws.CloseNow()
		resume(t, v.url+"?user="+user, user, v.session, 1).want(0, "RESUMED")
		if again := whereIs(gateways, v.session); again != at {
			t.Errorf("%s came back to %q, and was at %q", user, again, at)
		}
	}
	for addr, g := range gateways {
		if g.Stats().SessionsSaved != 0 {
			t.Errorf("%s had to hand a session over", addr)
		}
	}
}
