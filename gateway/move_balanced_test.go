package gateway

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
	"github.com/gatehouse-go/gatehouse/shard/balancer"
)

// balancedNodes are gateways by their address, and nodes of a ring.
func balancedNodes(t *testing.T, n int, change func(*Options)) (map[string]*Gateway, []shard.Node) {
	t.Helper()
	options := shared(t, change)
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
	gateways, nodes := balancedNodes(t, 3, nil)
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

// Clients that cannot say who they are, and come back to what READY told them: any node at first, from then on the one
// that the ring says, which has the session by then; and when a node is added and nginx reloaded, they follow there.
func TestResumeBehindNginx(t *testing.T) {
	base := ""
	gateways, nodes := balancedNodes(t, 3, func(o *Options) {
		o.ResumeURL = func(s *Session) string { return base + "/u/" + s.User().ID + "/gateway" }
	})
	config := func(nodes []shard.Node) func(string) string {
		return func(addr string) string {
			config, err := balancer.Nginx(balancer.Options{Nodes: nodes, Listen: addr, Path: "/u/"})
			if err != nil {
				t.Fatal(err)
			}
			return config
		}
	}
	small, err := shard.NewNginxRing(nodes[:2]...)
	if err != nil {
		t.Fatal(err)
	}
	large, err := shard.NewNginxRing(nodes...)
	if err != nil {
		t.Fatal(err)
	}
	nginx := servers.Nginx(t, config(nodes[:2]))
	base = "ws://" + nginx.Addr()
	type stock struct {
		user, session, url string
		c                  *testClient
	}
	var clients []*stock
	for _, user := range users(20) {
		c := dial(t, base+"/gateway?v=10&encoding=json")
		c.want(10, "")
		c.identify(user)
		var ready struct {
			Session string `json:"session_id"`
			URL     string `json:"resume_gateway_url"`
		}
		if err := json.Unmarshal(c.want(0, "READY").D, &ready); err != nil {
			t.Fatal(err)
		}
		clients = append(clients, &stock{user, ready.Session, ready.URL, c})
	}
	back := func(ring *shard.NginxRing) {
		t.Helper()
		for i, s := range clients {
			seen := max(1, s.c.seen)
			s.c.ws.CloseNow()
			ends := []string{"?v=10&encoding=json", "/?v=10&encoding=json"} // libraries differ
			s.c = resume(t, s.url+ends[i%2], s.user, s.session, int(seen))
			s.c.want(0, "RESUMED")
			if at := whereIs(gateways, s.session); at != ring.Owner(s.user) {
				t.Errorf("%s has come back to %q, the ring says %s", s.user, at, ring.Owner(s.user))
			}
		}
	}
	saved := func() (n uint64) {
		for _, g := range gateways {
			n += g.Stats().SessionsSaved
		}
		return n
	}
	back(small)
	once := saved()
	if once == 0 || once == uint64(len(clients)) {
		t.Errorf("%d of %d were elsewhere at first", once, len(clients))
	}
	back(small)
	if again := saved() - once; again != 0 {
		t.Errorf("%d sessions were handed over again", again)
	}
	nginx.Reload(config(nodes))
	moved := 0
	for addr, g := range gateways {
		n, err := g.Move(t.Context(), func(s *Session) (string, bool) { return "", large.Owner(s.User().ID) != addr })
		if err != nil {
			t.Error(err)
		}
		moved += n
	}
	before := saved()
	back(large)
	if again := saved() - before; again != 0 || moved == 0 {
		t.Errorf("%d sessions moved, and %d were handed over again", moved, again)
	}
}

// Behind a real HAProxy who comes back comes to the node that has the session.
func TestResumeBehindHAProxy(t *testing.T) {
	gateways, nodes := balancedNodes(t, 3, nil)
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
