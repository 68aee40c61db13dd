package gateway

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"weak"
)

// transport is how a client's bytes come to the gateway.
type transport struct {
	name     string
	tls      bool
	straight bool // written to without blocking
	polled   bool // without a goroutine
	serve    func(srv *http.Server, ln net.Listener) error
}

var transports = []transport{
	{"plain", false, true, false, func(srv *http.Server, ln net.Listener) error { return srv.Serve(ln) }},
	{"polled", false, true, true, func(srv *http.Server, ln net.Listener) error { return srv.Serve(ln) }},
	{"TLS over Listen", true, true, false, func(srv *http.Server, ln net.Listener) error { return srv.ServeTLS(Listen(ln), "", "") }},
	{"foreign TLS", true, false, false, func(srv *http.Server, ln net.Listener) error { return srv.ServeTLS(ln, "", "") }},
}

// siegeHeaders is how long clients have for a request, and for the handshake of
// TLS before it, where they do not end them; elsewhere they have time.
// siegeWindow is how long their sessions may be resumed.
const (
	siegeHeaders = 3 * time.Second
	siegeWindow  = 100 * time.Millisecond
)

// siege is a gateway under attack, and all that is known of its attackers.
type siege struct {
	t          *testing.T
	transport  transport
	g          *Gateway
	srv        *http.Server
	addr       string
	goroutines int // before there was a gateway
	round      int // counts attacks, so that each may have users of its own
	dialing    chan struct{}

	mu        sync.Mutex
	attackers []net.Conn // the TCP connections
	conns     []weak.Pointer[conn]
	sessions  []weak.Pointer[Session]
}

// besiege starts a gateway. Its users are named by their tokens, and subscribed
// to the topic of their name; "refused" is refused.
func besiege(t *testing.T, tr transport, change func(*Options)) *siege {
	return besiegeWithin(t, tr, patience, change)
}

// besiegeWithin gives clients so long for a request.
func besiegeWithin(t *testing.T, tr transport, headers time.Duration, change func(*Options)) *siege {
	s := &siege{t: t, transport: tr, goroutines: runtime.NumGoroutine(), dialing: make(chan struct{}, 16)}
	o := Options{
		Authenticate: func(_ context.Context, id Identify) (User, error) {
			if id.Token == "" || id.Token == "refused" {
				return User{}, ErrUnauthorized
			}
			return User{ID: id.Token}, nil
		},
		Ready:     func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, s.User().ID) },
		OnConnect: s.connected,
		OnSession: s.began,
		Broker:    NewMemoryBroker(MemoryBrokerOptions{History: -1}),
		Logger:    slog.New(slog.NewTextHandler(&testLog{t: t}, nil)),
		Limits:    Limits{ResumeWindow: siegeWindow},
		Poller:    tr.polled,
	}
	if change != nil {
		change(&o)
	}
	var err error
	if s.g, err = New(o); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.addr = ln.Addr().String()
	s.srv = &http.Server{
		Handler:           s.g,
		ReadHeaderTimeout: headers,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	if tr.tls {
		s.srv.TLSConfig = &tls.Config{Certificates: []tls.Certificate{testCertificate(t)}}
	}
	served := make(chan struct{})
	go func() {
		defer close(served)
		tr.serve(s.srv, ln)
	}()
	t.Cleanup(func() {
		s.hangUp()
		s.srv.Close()
		<-served
		shutdown(t, s.g, 10*time.Second)
	})
	return s
}

// connected is OnConnect.
func (s *siege) connected(info ConnInfo) {
	c, ok := s.g.byConn.Get(info.ID)
	if !ok {
		s.t.Error("a connection is told of and not known")
		return
	}
	if got := c.sock.Straight(); got != s.transport.straight {
		s.t.Errorf("a %T is written straight: %v", c.sock.Below(), got)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns = append(s.conns, weak.Make(c))
}

// began is OnSession.
func (s *siege) began(session *Session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sessions = append(s.sessions, weak.Make(session))
}

// users returns a name that no other attack has.
func (s *siege) user(name string, i int) string { return fmt.Sprintf("%s-%d-%d", name, s.round, i) }

// each has n clients do something at the same time.
func (s *siege) each(n int, client func(i int)) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() { client(i) })
	}
	all.Wait()
}

// tcp connects, a few at a time: a server has no time limit for those that it
// has not accepted.
func (s *siege) tcp() net.Conn {
	nc, err := net.Dial("tcp", s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(patience))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.attackers = append(s.attackers, nc)
	return nc
}

// connect is ready for an HTTP request.
func (s *siege) connect() net.Conn {
	s.dialing <- struct{}{}
	defer func() { <-s.dialing }()
	nc := s.tcp()
	if !s.transport.tls {
		return nc
	}
	sealed := tls.Client(nc, &tls.Config{InsecureSkipVerify: true})
	if err := sealed.Handshake(); err != nil {
		s.t.Fatalf("TLS handshake: %v", err)
	}
	return sealed
}

// dial is ready for an Identify, whose Hello it has read.
func (s *siege) dial() *rawConn {
	c := upgradeRaw(s.t, s.connect(), s.addr, "/gateway?v=10&encoding=json")
	c.until(`"op":10`)
	return c
}

// login returns a signed-in client and its session's id.
func (s *siege) login(user string) (c *rawConn, session string) {
	c = s.dial()
	c.identify(user)
	m := c.message()
	if m.T == nil || *m.T != "READY" {
		s.t.Fatalf("want READY, got %v", m)
	}
	return c, sessionOf(s.t, m)
}

func (c *rawConn) identify(token string) {
	c.write(text(fmt.Sprintf(`{"op":2,"d":{"token":%q}}`, token)))
}

// resume asks for a session on a connection that may be an old one.
func (c *rawConn) resume(token, session, seq string) {
	c.write(text(fmt.Sprintf(`{"op":6,"d":{"token":%q,"session_id":%q,"seq":%s}}`, token, session, seq)))
}

// goodbye ends the session.
func (c *rawConn) goodbye() {
	c.write(frame(0x80|wsClose, closePayload(1000, "")))
	c.closeCode()
}

// message returns the next one of the server's that is not about heartbeats.
func (c *rawConn) message() message {
	c.t.Helper()
	for {
		m, code := c.next()
		if code != 0 {
			c.t.Fatalf("closed with %d", code)
		}
		if m.Op != 1 && m.Op != 11 {
			return m
		}
	}
}

// next returns the next message, or the code that the connection ends with.
func (c *rawConn) next() (m message, code Code) {
	for {
		first, payload, err := c.read()
		switch {
		case err != nil:
			return m, closeAbnormal
		case first == frameClose:
			if len(payload) < 2 {
				return m, 1005
			}
			return m, Code(payload[0])<<8 | Code(payload[1])
		case first&0x0f != wsText:
			continue
		}
		if err := json.Unmarshal(payload, &m); err != nil {
			c.t.Fatalf("a message does not decode: %v: %s", err, payload)
		}
		return m, 0
	}
}

// wantClose reads until the close frame.
func (c *rawConn) wantClose(code Code) {
	c.t.Helper()
	if got := c.closeCode(); got != code {
		c.t.Errorf("closed with %d, want %d", got, code)
	}
}

// hangUp has every attacker go without a word.
func (s *siege) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, nc := range s.attackers {
		nc.Close()
	}
	s.attackers = nil
}

// lift ends an attack, and waits until nobody is left but the bystander.
func (s *siege) lift() {
	s.t.Helper()
	s.round++
	s.hangUp()
	s.wantLeft(1)
}

// wantLeft waits until there are so many sessions, each with its connection.
func (s *siege) wantLeft(n int) {
	s.t.Helper()
	var st Stats
	ok := within(patience, func() bool {
		st = s.g.Stats()
		shut := s.g.identifies.Running() + s.g.resumes.Running() + s.g.commands.Running() + s.g.chores.Running() + s.g.writers.count()
		return st.Connections == n && st.Sessions == n && st.Detached == 0 && s.g.shards.Total() == n && shut == 0
	})
	if !ok {
		s.t.Errorf("%d connections, %d sessions (%d detached), %d placed, %d writers are left, want %d",
			st.Connections, st.Sessions, st.Detached, s.g.shards.Total(), s.g.writers.count(), n)
	}
	if leaked := s.reachable(n); leaked != "" {
		s.t.Error(leaked)
	}
}

// reachable says which connections and sessions are in memory beyond n of each.
func (s *siege) reachable(n int) string {
	var conns, sessions int
	within(patience, func() bool {
		runtime.GC()
		conns, sessions = 0, 0
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.conns {
			if p.Value() != nil {
				conns++
			}
		}
		for _, p := range s.sessions {
			if p.Value() != nil {
				sessions++
			}
		}
		return conns <= n && sessions <= n
	})
	if conns > n || sessions > n {
		return fmt.Sprintf("%d connections and %d sessions are still in memory, want %d", conns, sessions, n)
	}
	return ""
}

// wantNothing checks that the gateway holds nothing for anybody.
func (s *siege) wantNothing() {
	s.t.Helper()
	s.wantLeft(0)
	st := s.g.Stats()
	if st.Unsent != 0 || st.Queued != 0 || st.HeldBytes != 0 || st.Topics != 0 || st.ZlibStreams != 0 {
		s.t.Errorf("left: %d unsent, %d queued, %d bytes held, %d topics, %d zlib streams",
			st.Unsent, st.Queued, st.HeldBytes, st.Topics, st.ZlibStreams)
	}
	for _, l := range s.g.lanes {
		l.mu.Lock()
		if n := len(l.topics); n > 0 {
			s.t.Errorf("%d topics are left in a lane", n)
		}
		l.mu.Unlock()
	}
}

// heap returns the bytes that are in use.
func (s *siege) heap() uint64 {
	var m runtime.MemStats
	for range 2 { // what a pool holds goes with the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// wantHeap waits until no more than most is in use.
func (s *siege) wantHeap(most uint64) {
	s.t.Helper()
	var now uint64
	if !within(patience, func() bool { now = s.heap(); return now <= most }) {
		s.t.Errorf("%d KB of the heap are in use, want at most %d", now>>10, most>>10)
	}
}

// holding checks, in the middle of an attack, what its n clients cost, both ends
// of them together.
func (s *siege) holding(n int, base uint64) {
	s.t.Helper()
	most := uint64(16 << 10)
	if s.transport.tls {
		most = 64 << 10 // a tls.Conn has buffers of its own
	}
	s.wantHeap(base + uint64(n)*most + abuseLeft)
}

// end shuts everything down; no goroutine is left.
func (s *siege) end() {
	s.t.Helper()
	if err := shutdown(s.t, s.g, 10*time.Second); err != nil {
		s.t.Errorf("Shutdown: %v", err)
	}
	s.srv.Close()
	if !within(patience, func() bool { return runtime.NumGoroutine() <= s.goroutines }) {
		stacks := make([]byte, 1<<20)
		s.t.Errorf("%d goroutines, want %d:\n%s", runtime.NumGoroutine(), s.goroutines, stacks[:runtime.Stack(stacks, true)])
	}
}

// within waits for a condition that other goroutines bring about.
func within(limit time.Duration, ok func() bool) bool {
	deadline := time.Now().Add(limit)
	for !ok() {
		if time.Now().After(deadline) {
			return false
		}
		<-time.After(20 * time.Millisecond)
	}
	return true
}

// bystander is a client of the gateway under attack that does nothing wrong. It
// is sent an event every few milliseconds, and must get each, in order and soon.
type bystander struct {
	s         *siege
	c         *rawConn
	published atomic.Int64
	got       atomic.Int64
	worst     atomic.Int64 // from publishing to reading, nanoseconds
	asked     atomic.Bool  // for a heartbeat
	stop      chan struct{}
	leaving   atomic.Bool
	done      sync.WaitGroup
}

// bystanderSoon is how late an event may be while the machine is busy with both
// ends of an attack, and with what others do: below the ten seconds for which
// one client could hold up another that is written to in its turn.
const bystanderSoon = 8 * time.Second

func (s *siege) watch() *bystander {
	c, _ := s.login("bystander")
	c.nc.SetDeadline(time.Time{})
	b := &bystander{s: s, c: c, stop: make(chan struct{})}
	s.mu.Lock()
	s.attackers = nil // it is not one of them
	s.mu.Unlock()
	b.done.Go(b.read)
	b.done.Go(b.publish)
	return b
}

func (b *bystander) publish() {
	for i := 0; ; i++ {
		select {
		case <-b.stop:
			return
		case <-time.After(5 * time.Millisecond):
		}
		if i%40 == 0 || b.asked.Swap(false) {
			b.c.write(text(fmt.Sprintf(`{"op":1,"d":%d}`, b.got.Load()+1)))
		}
		if err := b.s.g.Publish(b.s.t.Context(), "bystander", Event{Type: "E", Data: time.Now().UnixNano()}); err != nil {
			b.s.t.Errorf("publish: %v", err)
			return
		}
		b.published.Add(1)
	}
}

func (b *bystander) read() {
	for {
		m, code := b.c.next()
		switch {
		case code != 0:
			if !b.leaving.Load() {
				b.s.t.Errorf("the bystander was closed with %d", code)
			}
			return
		case m.Op == 1:
			b.asked.Store(true)
			continue
		case m.Op != 0:
			continue
		}
		if want := uint64(b.got.Load()) + 2; *m.S != want {
			b.s.t.Errorf("the bystander got sequence %d, want %d", *m.S, want)
		}
		var at int64
		json.Unmarshal(m.D, &at)
		late := time.Now().UnixNano() - at
		b.worst.Store(max(b.worst.Load(), late))
		if late > int64(bystanderSoon) {
			b.s.t.Errorf("the bystander got an event after %v", time.Duration(late))
		}
		b.got.Add(1)
	}
}

// leave checks that it got everything, and says goodbye.
func (b *bystander) leave() {
	close(b.stop)
	if !within(patience, func() bool { return b.got.Load() == b.published.Load() }) {
		b.s.t.Errorf("the bystander got %d of %d events", b.got.Load(), b.published.Load())
	}
	b.leaving.Store(true)
	b.c.nc.SetDeadline(time.Now().Add(patience))
	b.c.write(frame(0x80|wsClose, closePayload(1000, "")))
	b.done.Wait()
	b.c.nc.Close()
}

// testCertificate is made for one test.
func testCertificate(t *testing.T) tls.Certificate {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
