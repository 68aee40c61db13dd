package gateway

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// What TestShutdownLarge drains, and how long it may take for it.
const (
	largeSessions = 5000
	largeStalled  = 100
	largeWithin   = 15 * time.Second
)

// A drain of thousands of sessions, some of whose clients read nothing any more,
// returns in its time, has saved every one of them, told each client that
// listens, and leaves no goroutine behind. It takes 12 s and 10,000 descriptors;
// `make shutdown` runs it alone.
func TestShutdownLarge(t *testing.T) {
	switch {
	case testing.Short():
		t.Skip("thousands of connections")
	case raceEnabled:
		t.Skip("thousands of connections with the race detector take minutes; the tests of drain_test.go have the same code run with it")
	}
	before := runtime.NumGoroutine()
	store, broker := NewMemorySessions(), NewMemoryBroker(MemoryBrokerOptions{HistoryBytes: 8 << 20})
	options := Options{
		Authenticate: func(_ context.Context, id Identify) (User, error) { return User{ID: id.Token}, nil },
		Ready: func(ctx context.Context, s *Session) (any, error) {
			name, _, _ := strings.Cut(s.User().ID, "-")
			return nil, s.Subscribe(ctx, name)
		},
		Sessions: store,
		Broker:   broker,
		Limits:   Limits{ConnectionsPerAddress: -1, AcceptRate: -1, IdentifyRate: -1},
	}
	g, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: g}
	var all sync.WaitGroup
	all.Go(func() { srv.Serve(ln) })
	t.Cleanup(func() { srv.Close() })

	crowd := crowd{t: t, addr: ln.Addr().String()}
	crowd.come("well", largeSessions-largeStalled)
	crowd.come("stalled", largeStalled)
	for _, c := range crowd.clients {
		if c.user == "well" {
			all.Go(func() { c.serve(&crowd) })
		}
	}
	if err := g.Publish(t.Context(), "well", Event{Type: "E", Data: 1}); err != nil {
		t.Fatal(err)
	}
	body := strings.Repeat("x", 40_000)
	events := 0
	for ; g.Stats().Unsent < 5*largeStalled; events++ {
		if events == 50 { // 2 MB each, half of their bound
			t.Fatalf("%d of %d sockets are full", g.writers.count(), largeStalled)
		}
		if err := g.Publish(t.Context(), "stalled", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is fanned out", func() bool { return g.Stats().Queued == 0 })
	}
	eventually(t, "everybody has an event", func() bool { return crowd.events.Load() == largeSessions-largeStalled })
	t.Logf("%d sessions, %d events wait for the stalled ones", g.Stats().Sessions, g.Stats().Unsent)

	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), largeWithin)
	defer cancel()
	err = g.Shutdown(ctx)
	took := time.Since(began)
	t.Logf("Shutdown took %v: %v", took.Round(time.Millisecond), err)
	if err != nil || took > largeWithin {
		t.Errorf("Shutdown: %v, after %v", err, took)
	}
	st := g.Stats()
	if st.SessionsSaved != largeSessions || store.Len() != largeSessions || st.SessionsEnded != 0 {
		t.Errorf("%d sessions were saved, %d are in the store, %d ended", st.SessionsSaved, store.Len(), st.SessionsEnded)
	}
	if st.Connections != 0 || st.Sessions != 0 || st.Unsent != 0 || st.HeldBytes != 0 {
		t.Errorf("left: %d connections, %d sessions, %d unsent events, %d bytes", st.Connections, st.Sessions, st.Unsent, st.HeldBytes)
	}
	crowd.leave()
	srv.Close()
	all.Wait()
	if told := crowd.told.Load(); told != largeSessions-largeStalled {
		t.Errorf("%d clients were told to reconnect, want %d", told, largeSessions-largeStalled)
	}
	resumeStalled(t, options, crowd.clients[len(crowd.clients)-1], events)
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before })
}

// resumeStalled has a client that had stalled come to the next gateway, which
// sends it all that it had not read.
func resumeStalled(t *testing.T, options Options, c *crowdClient, events int) {
	g, err := New(options)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(g)
	again := dialRaw(t, "ws"+strings.TrimPrefix(srv.URL, "http")+"/gateway")
	again.until(`"op":10`)
	again.resume(c.token, c.session, "1")
	for n := range events {
		if m := again.message(); m.T == nil || *m.T != "E" || *m.S != uint64(n)+2 {
			t.Errorf("event %d of the stalled session is %.100v", n, m)
			break
		}
	}
	if m := again.message(); m.T == nil || *m.T != "RESUMED" {
		t.Errorf("want RESUMED, got %.100v", m)
	}
	again.nc.Close()
	if err := shutdown(t, g, 10*time.Second); err != nil {
		t.Errorf("Shutdown: %v", err)
	}
	srv.Close()
}

// crowd are many clients.
type crowd struct {
	t       *testing.T
	addr    string
	mu      sync.Mutex
	clients []*crowdClient
	events  atomic.Int64
	told    atomic.Int64 // of op 7 and 1012
}

type crowdClient struct {
	*rawConn
	user, token, session string
}

// come has n clients sign in, a few at a time.
func (cr *crowd) come(user string, n int) {
	cr.t.Helper()
	var all sync.WaitGroup
	var next atomic.Int64
	for range 32 {
		all.Go(func() {
			for i := next.Add(1); i <= int64(n); i = next.Add(1) {
				cr.signIn(user, i)
			}
		})
	}
	all.Wait()
	if cr.t.Failed() {
		cr.t.FailNow()
	}
}

func (cr *crowd) signIn(user string, i int64) {
	nc, err := net.Dial("tcp", cr.addr)
	if err != nil {
		cr.t.Error(err)
		return
	}
	c := &crowdClient{rawConn: upgradeRaw(cr.t, nc, cr.addr, "/gateway"), user: user, token: fmt.Sprintf("%s-%d", user, i)}
	nc.SetDeadline(time.Time{})
	c.until(`"op":10`)
	c.identify(c.token)
	c.session = sessionOf(cr.t, c.message())
	cr.mu.Lock()
	defer cr.mu.Unlock()
	cr.clients = append(cr.clients, c)
}

// serve is a client that does what it should, until the server closes.
func (c *crowdClient) serve(cr *crowd) {
	seen, reconnect := uint64(1), false
	for {
		m, code := c.next()
		switch {
		case code == CloseRestart && reconnect:
			cr.told.Add(1)
			fallthrough
		case code != 0:
			c.write(frame(0x80|wsClose, closePayload(uint16(CloseRestart), "")))
			c.nc.Close()
			return
		case m.Op == 0:
			seen = *m.S
			cr.events.Add(1)
		case m.Op == 1:
			c.write(text(fmt.Sprintf(`{"op":1,"d":%d}`, seen)))
		case m.Op == 7:
			reconnect = true
		}
	}
}

// leave ends those that still have a connection.
func (cr *crowd) leave() {
	for _, c := range cr.clients {
		c.nc.Close()
	}
}
