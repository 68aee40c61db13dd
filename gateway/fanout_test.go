package gateway

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
)

// TestEveryTopicInOrderWithoutLoss races publishers on several topics against
// each other and looks at what every client saw (E3, L2, L3).
func TestEveryTopicInOrderWithoutLoss(t *testing.T) {
	const clients, topics, publishers, each = 24, 6, 4, 300
	g, url := testGateway(t, func(o *Options) { o.Limits.UnsentEvents, o.Limits.UnsentBytes = -1, -1 })
	topicsOf := func(i int) (names []string) {
		for n := range topics {
			if (i>>(n%3))&1 == 0 {
				names = append(names, fmt.Sprint("t", n))
			}
		}
		return names
	}
	var readers sync.WaitGroup
	for i := range clients {
		query := []string{"", "?encoding=msgpack", "?encoding=msgpack&compress=lz4"}[i%3]
		c := login(t, url+query, fmt.Sprint("u", i))
		if err := g.SubscribeUser(t.Context(), fmt.Sprint("u", i), topicsOf(i)...); err != nil {
			t.Fatal(err)
		}
		want := len(topicsOf(i)) * publishers * each
		readers.Go(func() { readInOrder(t, c, want) })
	}
	var mu [topics]sync.Mutex
	var count [topics]int
	var writers sync.WaitGroup
	for p := range publishers {
		writers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(p), 0))
			order := rnd.Perm(topics * each)
			for _, k := range order {
				n := k % topics
				mu[n].Lock() // the order of two publishers is nobody's, but their locks'
				count[n]++
				err := g.Publish(context.Background(), fmt.Sprint("t", n), Event{Type: "E", Data: []any{n, count[n], strings.Repeat("x", rnd.IntN(600))}})
				mu[n].Unlock()
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	readers.Wait()
}

// readInOrder reads n events; sequences and each topic's count must go up by one.
func readInOrder(t *testing.T, c *testClient, n int) {
	last := map[int]int{}
	for i := range n {
		m, err := c.event()
		if err != nil {
			t.Errorf("after %d of %d events: %v", i, n, err)
			return
		}
		var d []any
		if err := json.Unmarshal(m.D, &d); err != nil || *m.S != uint64(i)+2 {
			t.Errorf("event %d is %v", i, m)
			return
		}
		topic, count := int(d[0].(float64)), int(d[1].(float64))
		if count != last[topic]+1 {
			t.Errorf("topic %d: %d came after %d", topic, count, last[topic])
			return
		}
		last[topic] = count
	}
}

// What is published after Subscribe returned is seen; after Unsubscribe it is not (E3).
func TestSubscribeIsAMomentInTheTopic(t *testing.T) {
	var s *Session
	got := make(chan *Session, 1)
	g, url := testGateway(t, func(o *Options) { o.OnSession = func(s *Session) { got <- s } })
	c := login(t, url, "ann")
	s = <-got
	noise := make(chan struct{})
	var noisy sync.WaitGroup
	noisy.Go(func() {
		for {
			select {
			case <-noise:
				return
			default:
				g.Publish(context.Background(), "t", Event{Type: "NOISE"})
			}
		}
	})
	next := func() string {
		for {
			m, err := c.event()
			if err != nil {
				t.Fatal(err)
			}
			if *m.T != "NOISE" {
				return *m.T
			}
		}
	}
	for i := range 200 {
		if err := s.Subscribe(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		g.Publish(t.Context(), "t", Event{Type: "IN"})
		if err := s.Unsubscribe(t.Context(), "t"); err != nil {
			t.Fatal(err)
		}
		g.Publish(t.Context(), "t", Event{Type: "OUT"})
		s.Send(t.Context(), Event{Type: "END"})
		// END is not of the topic: it may overtake IN.
		if a, b := next(), next(); a+b != "INEND" && a+b != "ENDIN" {
			t.Fatalf("round %d: got %s and %s", i, a, b)
		}
	}
	close(noise)
	noisy.Wait()
	if topics := s.Topics(); len(topics) != 0 {
		t.Errorf("still subscribed to %v", topics)
	}
}

// A reader that stalls is closed 4100 and costs the others nothing.
func TestSlowConsumer(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentEvents, o.Limits.UnsentBytes = 500, 1<<20
	})
	slow := loginRaw(t, url, "slow")
	healthy := login(t, url, "ann")
	body := strings.Repeat("x", 8000)
	for i := range 2000 {
		if err := g.Publish(t.Context(), "t", Event{Type: "E", Data: body}); err != nil {
			t.Fatal(err)
		}
		if m := healthy.want(0, "E"); *m.S != uint64(i)+2 {
			t.Fatalf("event %d is %v", i, m)
		}
		if g.Stats().SlowConsumers > 0 {
			break
		}
	}
	if n := g.Stats().SlowConsumers; n != 1 {
		t.Fatalf("%d slow consumers", n)
	}
	if code := slow.closeCode(); code != CloseSlowConsumer {
		t.Errorf("closed with %d once it reads, want 4100", code)
	}
}

// A connection whose close frame nobody reads is cut off.
func TestStalledReaderIsCutOff(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentEvents, o.Limits.UnsentBytes = 500, 1<<20
	})
	loginRaw(t, url, "slow")
	body := strings.Repeat("x", 8000)
	eventually(t, "it is slow", func() bool {
		g.Publish(t.Context(), "t", Event{Type: "E", Data: body})
		return g.Stats().SlowConsumers == 1
	})
	eventually(t, "it is gone", func() bool { return g.Stats().Connections == 0 })
}

// Volatile events are the first to go, conflated ones replace each other.
func TestClassesUnderPressure(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentEvents, o.Limits.UnsentBytes = 4000, 64<<20
	})
	slow := loginRaw(t, url, "slow")
	body := strings.Repeat("x", 8000)
	eventually(t, "volatile events are dropped", func() bool {
		for range 100 {
			g.Publish(t.Context(), "t", Event{Type: "KEEP", Data: body})
		}
		g.Publish(t.Context(), "t", Event{Type: "TYPING", Class: Volatile})
		return g.Stats().Dropped["volatile"] > 0
	})
	for n := range 100 {
		g.Publish(t.Context(), "t", Event{Type: "PRESENCE", Class: Conflate, Key: "ann", Data: n})
	}
	g.Publish(t.Context(), "t", Event{Type: "LAST"})
	presences := 0
	for {
		_, payload, err := slow.read()
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(payload), `"t":"PRESENCE"`) {
			presences++
			if !strings.Contains(string(payload), `"d":99}`) {
				t.Errorf("an old presence was sent: %s", payload)
			}
		}
		if strings.Contains(string(payload), `"t":"LAST"`) {
			break
		}
	}
	if presences != 1 {
		t.Errorf("%d presences of one user were sent, want 1", presences)
	}
}

// A tls.Conn that is not ours takes the third path: it is only ever written by
// a goroutine that may block (W1).
func TestForeignTLS(t *testing.T) {
	g, _ := testGateway(t, func(o *Options) {
		subscribeTo("t")(o)
		o.Limits.UnsentBytes = -1
	})
	srv := httptest.NewTLSServer(g)
	t.Cleanup(srv.Close)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	ws, _, err := websocket.Dial(t.Context(), srv.URL+"/gateway", &websocket.DialOptions{HTTPClient: client})
	if err != nil {
		t.Fatal(err)
	}
	defer ws.CloseNow()
	ws.SetReadLimit(-1)
	c := &testClient{t: t, ws: ws}
	c.want(10, "")
	c.identify("ann")
	ready := c.want(0, "READY")
	if !strings.Contains(string(ready.D), `"resume_gateway_url":"wss://`) {
		t.Errorf("READY is %v", ready)
	}
	for i := range 300 {
		g.Publish(t.Context(), "t", Event{Type: "E", Data: strings.Repeat("y", i*100)})
	}
	for i := range 300 {
		if m := c.want(0, "E"); len(m.D) != i*100+2 {
			t.Fatalf("event %d has %d bytes", i, len(m.D))
		}
	}
	c.send(`{"op":1,"d":301}`)
	c.want(11, "")
	c.send(`{"op":77}`)
	c.wantClose(CloseUnknownOpcode)
}

// Shutdown tells everyone, returns within its context whatever clients do, and
// leaves no goroutine behind.
func TestShutdown(t *testing.T) {
	before := runtime.NumGoroutine()
	g, url := testGateway(t, nil)
	good := login(t, url, "ann")
	early := dial(t, url)
	early.want(10, "")
	stalled := dialRaw(t, url) // never reads, never closes
	stalled.write(text(`{"op":2,"d":{"token":"slow","intents":0}}`))
	eventually(t, "two sessions", func() bool { return g.Stats().Sessions == 2 })

	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	done := make(chan error, 1)
	began := time.Now()
	go func() { done <- g.Shutdown(ctx) }()
	good.want(7, "")
	good.wantClose(CloseRestart)
	early.wantClose(CloseRestart)
	if err := <-done; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Shutdown with a stalled client: %v", err)
	}
	if took := time.Since(began); took > 6*time.Second {
		t.Errorf("Shutdown took %v, its context a second", took)
	}
	if err := g.Publish(t.Context(), "t", Event{Type: "E"}); !errors.Is(err, ErrClosed) {
		t.Errorf("Publish after Shutdown: %v", err)
	}
	if err := g.Shutdown(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("Shutdown twice: %v", err)
	}
	if _, res, err := websocket.Dial(t.Context(), url, nil); err == nil || res.StatusCode != 503 {
		t.Errorf("a connection after Shutdown: %v", err)
	}
	good.ws.CloseNow()
	early.ws.CloseNow()
	eventually(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= before+4 }) // the HTTP server's
}

// Every delivery refers to the same bytes; none of them allocates.
func TestDeliveryAllocatesNothing(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	const subs = 50
	for i := range subs {
		c := dialRaw(t, url)
		c.write(text(fmt.Sprintf(`{"op":2,"d":{"token":"u%d","intents":0}}`, i)))
		c.until("READY")
		go io.Copy(io.Discard, c.nc)
	}
	p := &published{Record: Record{Topic: "t", Type: "E", Data: []byte(`"hello"`)}}
	for _, f := range []*form{formJSON, formMsgPack, formMsgPackLZ4} {
		if first, again := p.tail(f), p.tail(f); &first[0] != &again[0] {
			t.Errorf("form %+v was made twice", f)
		}
	}
	var before, after runtime.MemStats
	const rounds = 200
	publish := func() {
		start := g.stats.delivered.Load()
		g.topics.deliver(p)
		for g.stats.delivered.Load() < start+subs {
			runtime.Gosched()
		}
	}
	publish()
	runtime.ReadMemStats(&before)
	for range rounds {
		publish()
	}
	runtime.ReadMemStats(&after)
	perDelivery := float64(after.Mallocs-before.Mallocs) / rounds / subs
	if perDelivery > 0.1 && !raceEnabled {
		t.Errorf("%.2f allocations per delivery", perDelivery)
	}
}

// What is published while Ready takes its time is bounded too.
func TestOverflowBeforeReady(t *testing.T) {
	subscribed, ready := make(chan struct{}), make(chan struct{})
	g, url := testGateway(t, func(o *Options) {
		o.Limits.DetachedEvents = 100
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			defer close(subscribed)
			err := s.Subscribe(ctx, "t")
			subscribed <- struct{}{}
			<-ready
			return nil, err
		}
	})
	c := dial(t, url)
	c.want(10, "")
	c.identify("ann")
	<-subscribed
	eventually(t, "it is given up", func() bool {
		g.Publish(t.Context(), "t", Event{Type: "E"})
		return g.Stats().SlowConsumers == 1
	})
	close(ready)
	c.wantClose(CloseSlowConsumer)
}

// A kick reaches a session whose READY is still on its way.
func TestKickBeforeReady(t *testing.T) {
	var g *Gateway
	g, url := testGateway(t, func(o *Options) {
		o.Ready = func(ctx context.Context, s *Session) (any, error) {
			return nil, g.KickUser(ctx, s.User().ID, "out")
		}
	})
	c := dial(t, url+"?ext=1")
	c.want(10, "")
	c.identify("ann")
	c.wantClose(CloseKicked)
	eventually(t, "nothing is left", func() bool { return g.Stats().Sessions == 0 })
}

// Connections that are being upgraded, or signing in, when Shutdown begins are
// told like the others or refused; none is forgotten.
func TestShutdownDuringUpgrades(t *testing.T) {
	for range 20 {
		g, url := testGateway(t, nil)
		var clients sync.WaitGroup
		for i := range 20 {
			clients.Go(func() {
				ws, _, err := websocket.Dial(t.Context(), url, nil)
				if err != nil {
					return
				}
				defer ws.CloseNow()
				c := &testClient{t: t, ws: ws}
				ws.Write(t.Context(), websocket.MessageText, fmt.Appendf(nil, `{"op":2,"d":{"token":"u%d"}}`, i))
				if code := c.closeCode(); code != CloseRestart {
					t.Errorf("closed with %d", code)
				}
			})
		}
		eventually(t, "some are there", func() bool { return g.Stats().Accepted > 5 })
		g.HandTo(http.NotFoundHandler()) // who comes later is not held
		if err := g.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		clients.Wait()
	}
}
