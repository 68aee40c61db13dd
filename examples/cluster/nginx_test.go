package main

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/examples/sharded/nginx"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
)

// A cluster behind a real nginx, whose nodes find each other on Redis, is rolled, and two of its nodes are killed: no
// client loses an event, and in the end each is where the ring says.
func TestClusterNginx(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of rolls and kills")
	}
	s := servers.Redis(t)
	w := newBehindNginx(t, options{server: "redis://" + s.Addr()})
	w.join(t, 6)
	t.Run("steady", func(t *testing.T) { w.steady(t); w.home(t) })
	t.Run("roll", w.rollBehindNginx)
	for range 2 {
		t.Run("kill", w.killBehindNginx)
	}
	t.Run("Redis", func(t *testing.T) {
		w.broker(t, func(*testing.T) { s.Kill() }, func(*testing.T) { s.Start() })
		w.home(t)
	})
	w.finish(t)
}

// The same on NATS, shorter.
func TestClusterNginxNATS(t *testing.T) {
	if testing.Short() {
		t.Skip("half a minute of a roll and a kill")
	}
	w := newBehindNginx(t, options{})
	t.Run("steady", func(t *testing.T) { w.steady(t); w.home(t) })
	t.Run("roll", w.rollBehindNginx)
	t.Run("kill", w.killBehindNginx)
	w.finish(t)
}

func newBehindNginx(t *testing.T, o options) *world {
	servers.Nginx(t, func(string) string { return "" }) // skips, or fails, where there is none
	o.nodes, o.clients, o.rate, o.lease, o.drainRate, o.balancer = 3, 60, 60, 2*time.Second, 100, balancerNginx
	return newWorld(t, o)
}

// home waits until every client is where the ring of the living nodes says.
func (w *world) home(t *testing.T) {
	t.Helper()
	w.mu.Lock()
	var servers []shard.Node
	id := make(map[string]int)
	living := slices.DeleteFunc(slices.Clone(w.nodes), func(n *node) bool { return n.state != alive })
	slices.SortFunc(living, func(a, b *node) int { return cmp.Compare(strconv.Itoa(a.id), strconv.Itoa(b.id)) })
	for _, n := range living {
		servers = append(servers, shard.Node{ID: n.addr})
		id[n.addr] = n.id
	}
	w.mu.Unlock()
	ring, err := shard.NewNginxRing(servers...)
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	eventually(t, "every client is where the ring says", func() bool {
		return !slices.ContainsFunc(w.crowd.clients, func(cl *client) bool { return cl.at() != id[ring.Owner(cl.name)] })
	})
	t.Logf("all are where the ring says after %v", time.Since(began).Round(100*time.Millisecond))
}

func (w *world) rollBehindNginx(t *testing.T) {
	m := w.mark()
	if err := w.cluster.roll(); err != nil {
		t.Fatal(err)
	}
	w.home(t)
	w.steady(t)
	drops, c := w.tell(t, m)
	if c.Repeated > 0 {
		t.Error("a roll repeats nothing")
	}
	t.Logf("%d clients were sent away %d times", len(w.crowd.clients), len(drops))
}

func (w *world) killBehindNginx(t *testing.T) {
	m, living := w.mark(), w.living()
	if _, err := w.add(); err != nil {
		t.Fatal(err)
	}
	w.home(t)
	if err := w.cluster.kill(living[rand.N(len(living))]); err != nil {
		t.Fatal(err)
	}
	w.steady(t)
	w.home(t)
	w.tell(t, m)
}

func TestOptionsCheck(t *testing.T) {
	if err := (options{balancer: "apache"}).check(); !errors.Is(err, errBalancer) {
		t.Error(err)
	}
	t.Setenv("PATH", t.TempDir())
	if err := (options{balancer: balancerNginx}).check(); !errors.Is(err, nginx.ErrNotInstalled) {
		t.Error(err)
	}
	if err := (options{}).check(); err != nil {
		t.Error(err)
	}
}
