package main

import (
	"flag"
	"math/rand/v2"
	"net"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/internal/servers"
)

var (
	rolls     = flag.Int("rolls", 2, "how often TestCluster rolls the nodes")
	kills     = flag.Int("kills", 3, "how many nodes it kills")
	clients   = flag.Int("clients", 60, "how many clients it has")
	stocks    = flag.Int("stock", 6, "and how many on discordgo")
	rate      = flag.Int("rate", 60, "events that it publishes a second")
	lease     = flag.Duration("lease", 2*time.Second, "for how long a node lives that says nothing")
	drainRate = flag.Int("drain-rate", 20, "sessions a second that a node lets go of")
	direct    = flag.Bool("direct", false, "its clients connect to nodes and not through the proxy, which has two descriptors for each")
)

// patience is how long something may take that happens at once, on a machine that has
// other things to do.
func patience() time.Duration { return time.Minute + time.Duration(*clients)*5*time.Millisecond }

// asked is the cluster that the flags ask for.
func asked() options {
	return options{nodes: 3, clients: *clients, rate: *rate, lease: *lease, drainRate: *drainRate, direct: *direct}
}

// A cluster is rolled twice, its nodes are killed, then its broker, and one of them is cut off: no
// client loses an event untold, and none that sends positions has one twice.
func TestCluster(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of rolls and kills")
	}
	w := newWorld(t, asked())
	w.test(t, func(*testing.T) { w.killBroker() }, func(t *testing.T) {
		if err := w.restartBroker(); err != nil {
			t.Fatal(err)
		}
	})
}

// The same on Redis.
func TestClusterRedis(t *testing.T) {
	if testing.Short() {
		t.Skip("a minute of rolls and kills")
	}
	s := servers.Redis(t)
	o := asked()
	o.server = "redis://" + s.Addr()
	w := newWorld(t, o)
	w.test(t, func(*testing.T) { s.Kill() }, func(*testing.T) { s.Start() })
}

// test does all of it.
func (w *world) test(t *testing.T, kill, start func(t *testing.T)) {
	w.join(t, *stocks)
	t.Run("steady", func(t *testing.T) { w.steady(t) })
	for range *rolls {
		t.Run("roll", w.roll)
	}
	for range *kills {
		t.Run("kill", w.kill)
	}
	t.Run("broker", func(t *testing.T) { w.broker(t, kill, start) })
	t.Run("partition", w.partition)
	w.finish(t)
}

// world is a cluster under test.
type world struct {
	*cluster
	stop  func() // publishing
	stock []*stock
}

// newWorld opens one, and publishes once everybody is there.
func newWorld(t *testing.T, o options) *world {
	w := openWorld(t, o)
	w.stop = w.publish()
	return w
}

// openWorld opens one in which nothing is published.
func openWorld(t *testing.T, o options) *world {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.url = "ws://" + ln.Addr().String() + "/gateway"
	c, err := start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.close)
	web := http.Server{Handler: c.handler()}
	go web.Serve(ln)
	t.Cleanup(func() { web.Close() })
	w := &world{cluster: c}
	w.settle(t)
	return w
}

// eventually waits for something to hold.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); !holds(); <-ticker.C {
		if time.Since(began) > patience() {
			t.Fatalf("not within %v: %s", patience(), what)
		}
	}
}

// everyone waits for something to hold for each of so many. For whom it has held is not asked
// again: that would take the time of what is waited for.
func everyone(t *testing.T, what string, n int, holds func(i int) bool) {
	t.Helper()
	i := 0
	eventually(t, what, func() bool {
		for i < n && holds(i) {
			i++
		}
		return i == n
	})
}

// settle waits until every client has its session at a node that lives.
func (w *world) settle(t *testing.T) {
	t.Helper()
	living := w.living()
	everyone(t, "every client has a session", len(w.crowd.clients), func(i int) bool {
		return slices.Contains(living, w.crowd.clients[i].at())
	})
}

// events waits until so many more are published.
func (w *world) events(t *testing.T, n uint64) {
	t.Helper()
	until := w.traffic.count() + n
	eventually(t, "events are published", func() bool { return w.traffic.count() >= until })
}

// steady waits until every client has what was published until now.
func (w *world) steady(t *testing.T) {
	t.Helper()
	w.settle(t)
	w.events(t, uint64(w.o.rate))
	w.have(t, w.published())
}

// have waits until every client has events up to those.
func (w *world) have(t *testing.T, want map[string]uint64) {
	t.Helper()
	lacks := func(name string, seen *tally) bool {
		return slices.ContainsFunc(roomsOf(name), func(room string) bool { return seen.last[room] < want[room] })
	}
	everyone(t, "every client has everything", len(w.crowd.clients), func(i int) bool {
		cl := w.crowd.clients[i]
		cl.mu.Lock()
		defer cl.mu.Unlock()
		return !lacks(cl.name, cl.seen)
	})
	everyone(t, "every client on discordgo has everything", len(w.stock), func(i int) bool {
		s := w.stock[i]
		s.mu.Lock()
		defer s.mu.Unlock()
		return !lacks(s.name, s.seen)
	})
}

// published are the last events that were published for certain.
func (w *world) published() map[string]uint64 {
	last := make(map[string]uint64)
	for i := range rooms {
		last[room(i)] = w.traffic.last(room(i))
	}
	return last
}

// since is what has happened to the clients since mark.
type mark struct {
	drops, resumes []int
	counts         counts
	stock          stockCounts
}

func (w *world) mark() (m mark) {
	for _, cl := range w.crowd.clients {
		cl.mu.Lock()
		m.drops = append(m.drops, len(cl.drops))
		m.resumes = append(m.resumes, len(cl.resumes))
		cl.mu.Unlock()
	}
	m.counts, m.stock = w.crowd.count(w.traffic), w.countStock()
	return m
}

// tell logs what has happened since, and returns when connections ended, sorted, and
// what was counted.
func (w *world) tell(t *testing.T, m mark) (drops []time.Time, c counts) {
	t.Helper()
	var took []time.Duration
	for i, cl := range w.crowd.clients {
		cl.mu.Lock()
		drops = append(drops, cl.drops[m.drops[i]:]...)
		took = append(took, cl.resumes[m.resumes[i]:]...)
		cl.mu.Unlock()
	}
	slices.Sort(took)
	slices.SortFunc(drops, time.Time.Compare)
	c = w.crowd.count(w.traffic)
	c.Received -= m.counts.Received
	c.Repeated -= m.counts.Repeated
	c.Placed -= m.counts.Placed
	c.Told -= m.counts.Told
	t.Logf("%d events received, %d lost, %d repeated (%d with positions), %d out of order, %d sessions lost and told; %d resumes, p50 %v, p99 %v",
		c.Received, c.Lost, c.Repeated, c.Placed, c.Reversed, c.Told, len(took),
		quantile(took, 50).Round(time.Millisecond), quantile(took, 99).Round(time.Millisecond))
	if c.Lost > 0 || c.Reversed > 0 || c.Placed > 0 {
		t.Error("events were lost, out of order, or repeated with positions")
	}
	s := w.countStock()
	s.repeated -= m.stock.repeated
	s.resumed -= m.stock.resumed
	t.Logf("discordgo: %d resumes, %d events lost, %d repeated, %d out of order, %d sessions lost and told", s.resumed, s.lost, s.repeated, s.reversed, s.told)
	if s.lost > 0 || s.reversed > 0 {
		t.Error("discordgo lost events, or had them out of order")
	}
	if c.Told > 0 || s.told > 0 {
		t.Error("sessions were lost")
	}
	c.Repeated += s.repeated
	return drops, c
}

// roll replaces every node.
func (w *world) roll(t *testing.T) {
	before, m := w.living(), w.mark()
	if err := w.cluster.roll(); err != nil {
		t.Fatal(err)
	}
	for _, id := range w.living() {
		if slices.Contains(before, id) {
			t.Errorf("node %d was not replaced", id)
		}
	}
	w.steady(t)
	eventually(t, "discordgo is back", func() bool { return w.countStock().resumed-m.stock.resumed >= len(w.stock) })
	drops, c := w.tell(t, m)
	if c.Repeated > 0 {
		t.Error("a roll repeats nothing")
	}
	times := make(map[int]int)
	for i, cl := range w.crowd.clients {
		cl.mu.Lock()
		times[len(cl.drops)-m.drops[i]]++
		cl.mu.Unlock()
	}
	if times[1] != len(w.crowd.clients) {
		t.Errorf("so many were sent away so often, want all once: %v", times)
	}
	if n := w.countStock().resumed - m.stock.resumed; n != len(w.stock) {
		t.Errorf("%d clients on discordgo were sent away %d times, want once each", len(w.stock), n)
	}
	most := 0
	for i := range drops {
		n, _ := slices.BinarySearchFunc(drops, drops[i].Add(time.Second), time.Time.Compare)
		most = max(most, n-i)
	}
	t.Logf("at most %d sent away within a second", most)
	if limit := w.o.drainRate * 3 / 2; most > limit {
		t.Errorf("%d were sent away within a second, at a rate of %d", most, w.o.drainRate)
	}
}

// kill starts a node, and kills one of those that have clients.
func (w *world) kill(t *testing.T) {
	m, living := w.mark(), w.living()
	if _, err := w.add(); err != nil {
		t.Fatal(err)
	}
	if err := w.cluster.kill(living[rand.N(len(living))]); err != nil {
		t.Fatal(err)
	}
	w.steady(t)
	w.tell(t, m)
}

// broker kills the broker, and starts it when everybody has noticed and no lease is left. Nobody
// loses its connection by that.
func (w *world) broker(t *testing.T, kill, start func(t *testing.T)) {
	m := w.mark()
	kill(t)
	since := time.Now()
	eventually(t, "every node knows that the broker is away", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return !slices.ContainsFunc(w.nodes, func(n *node) bool { return n.state == alive && !n.report.Away })
	})
	eventually(t, "every lease is over", func() bool { return time.Since(since) > w.o.lease })
	start(t)
	w.steady(t)
	drops, _ := w.tell(t, m)
	if len(drops) > 0 {
		t.Errorf("%d connections ended, though only the broker was away", len(drops))
	}
}

// partition cuts a node off from the broker for longer than it is taken to live. Some
// of its clients go elsewhere meanwhile, the others stay.
func (w *world) partition(t *testing.T) {
	m, id := w.mark(), w.living()[0]
	if err := w.cut(id, true); err != nil {
		t.Fatal(err)
	}
	n, err := w.find(id)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the node knows that the broker is away", func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		return n.report.Away
	})
	left := 0
	for _, cl := range w.crowd.clients {
		if cl.at() == id && left < 5 {
			cl.drop()
			left++
		}
	}
	eventually(t, "who left it is elsewhere", func() bool {
		here, elsewhere := 0, 0
		for _, cl := range w.crowd.clients {
			switch cl.at() {
			case id:
				here++
			case 0:
			default:
				elsewhere++
			}
		}
		return here+elsewhere == len(w.crowd.clients)
	})
	w.events(t, uint64(w.o.rate)*uint64(w.o.lease/time.Second)*2)
	if err := w.cut(id, false); err != nil {
		t.Fatal(err)
	}
	w.steady(t)
	drops, _ := w.tell(t, m)
	if len(drops) < left || left == 0 {
		t.Errorf("%d connections ended, want %d", len(drops), left)
	}
}

// finish holds what everybody has against what was published.
func (w *world) finish(t *testing.T) {
	w.stop()
	w.have(t, w.published())
	w.traffic.mu.Lock()
	unsure := 0
	for _, of := range w.traffic.unsure {
		unsure += len(of)
	}
	w.traffic.mu.Unlock()
	t.Logf("%d events published, and %d that may have been", w.traffic.count(), unsure)
	w.tell(t, mark{drops: make([]int, w.o.clients), resumes: make([]int, w.o.clients)})
}
