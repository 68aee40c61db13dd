package gateway

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The benchmark of stalled readers is no testing.B: it is runs in pairs, with and without
// clients that do not read, one process for the gateway and one for the clients
// that do. `make bench-stall` runs it.
const (
	stallSessions = 1000
	stallReaders  = 10
	stallPairs    = 2
	stallRate     = 20              // events a second, each to every session
	stallWindow   = 6 * time.Second // of a run; a stalled client is closed after 10 s
	stallSettle   = 500 * time.Millisecond

	// What the issue asks for.
	stallRatio = 1.15
)

// TestBenchStall measures, in healthy sessions, the time from when an event was
// due to be published until it was read, and what the kernel holds for each of
// those that stall.
func TestBenchStall(t *testing.T) {
	if os.Getenv("GATEHOUSE_BENCH") != "stall" {
		t.Skip("a benchmark: make bench-stall")
	}
	g, err := New(Options{
		Authenticate: func(_ context.Context, id Identify) (User, error) { return User{ID: id.Token}, nil },
		Ready: func(ctx context.Context, s *Session) (any, error) {
			return nil, s.Subscribe(ctx, "all", s.User().ID)
		},
		Limits: Limits{ConnectionsPerAddress: -1, AcceptRate: -1, IdentifyRate: -1, UserIdentifies: -1, HeartbeatInterval: time.Hour},
	})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: g}
	served := make(chan struct{})
	go func() {
		defer close(served)
		srv.Serve(ln)
	}()
	healthy := startHealthy(t, ln.Addr().String())
	t.Logf("%d sessions, %d events a second, %v a run, %d fan-out workers", stallSessions, stallRate, stallWindow, g.opts.Workers)

	var ratios []float64
	var sending, receiving uint32
	for pair := range stallPairs {
		var p99 [2]time.Duration
		for i := range 2 {
			with := (i + pair) % 2 // now the one first, now the other
			if with == 0 {
				p99[0] = healthy.run(t, g)
				continue
			}
			stalled := stall(t, g, ln.Addr().String())
			p99[1] = healthy.run(t, g)
			most, n := g.kernelOfSlow(t)
			if n != stallReaders {
				t.Fatalf("%d clients are stalled at the end of a run, want %d", n, stallReaders)
			}
			sending = max(sending, most)
			for _, c := range stalled {
				receiving = max(receiving, meminfo(t, c.nc)[rmemAlloc])
				c.nc.Close()
			}
			g.KickUser(t.Context(), "stalled", "")
			eventually(t, "they have gone", func() bool { return g.Stats().Connections == stallSessions })
		}
		ratio := float64(p99[1]) / float64(p99[0])
		ratios = append(ratios, ratio)
		t.Logf("pair %2d: p99 without %8v, with %8v, ratio %.2f", pair+1, p99[0].Round(10*time.Microsecond), p99[1].Round(10*time.Microsecond), ratio)
	}
	slices.Sort(ratios)
	median := (ratios[stallPairs/2-1] + ratios[stallPairs/2]) / 2
	t.Logf("median ratio %.2f (from %.2f to %.2f), at most %.2f is the target", median, ratios[0], ratios[stallPairs-1], stallRatio)
	t.Logf("kernel memory of a stalled reader: %d KB at the gateway, %d KB at the client, at most %d KB is the target for the first",
		sending>>10, receiving>>10, stalledKernel>>10)
	if median > stallRatio || sending > stalledKernel {
		t.Error("a target is missed")
	}
	healthy.stop()
	if err := shutdown(t, g, 10*time.Second); err != nil {
		t.Error(err)
	}
	srv.Close()
	<-served
}

// stall has clients sign in and read nothing, and fills their sockets.
func stall(t *testing.T, g *Gateway, addr string) []*rawConn {
	t.Helper()
	var clients []*rawConn
	for range stallReaders {
		c := loginRaw(t, "ws://"+addr+"/gateway", "stalled")
		c.nc.SetDeadline(time.Time{})
		clients = append(clients, c)
	}
	body := strings.Repeat("x", 20_000)
	for g.writers.count() < stallReaders || g.Stats().Unsent < 10*stallReaders {
		if err := g.Publish(t.Context(), "stalled", Event{Type: "FILL", Data: body}); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it is fanned out", func() bool { return g.Stats().Queued == 0 })
	}
	return clients
}

// healthyClients are a process of their own: what it does is not in the
// gateway's way, nor is its garbage.
type healthyClients struct {
	t     *testing.T
	cmd   *exec.Cmd
	in    interface{ Write([]byte) (int, error) }
	out   *bufio.Scanner
	close func() error
}

func startHealthy(t *testing.T, addr string) *healthyClients {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestHealthyClients$")
	cmd.Env = append(os.Environ(), "GATEHOUSE_BENCH=clients", "GATEHOUSE_BENCH_ADDR="+addr, "GOGC=400")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	h := &healthyClients{t: t, cmd: cmd, in: in, out: bufio.NewScanner(out), close: in.Close}
	h.line()
	return h
}

// line waits for a line of the clients'.
func (h *healthyClients) line() (m latencies) {
	h.t.Helper()
	if !h.out.Scan() || json.Unmarshal(h.out.Bytes(), &m) != nil {
		h.t.Fatalf("the clients' process said %q", h.out.Text())
	}
	return m
}

func (h *healthyClients) stop() {
	h.close()
	h.cmd.Wait()
}

// latencies are what the clients' process tells of a run.
type latencies struct {
	Count    int
	P50, P99 time.Duration
}

// run publishes on time, whatever happens to what was published before.
func (h *healthyClients) run(t *testing.T, g *Gateway) time.Duration {
	t.Helper()
	<-time.After(stallSettle)
	fmt.Fprintln(h.in, "forget")
	h.line()
	events := int(stallRate * stallWindow / time.Second)
	began := time.Now()
	for i := range events {
		due := began.Add(time.Duration(i) * time.Second / stallRate)
		<-time.After(time.Until(due))
		if err := g.Publish(t.Context(), "all", Event{Type: "E", Data: stallEvent{due.UnixNano(), strings.Repeat("x", 100)}}); err != nil {
			t.Fatal(err)
		}
	}
	var all latencies
	for deadline := time.Now().Add(5 * time.Second); all.Count < events*stallSessions; {
		if time.Now().After(deadline) {
			t.Fatalf("%d of %d events arrived", all.Count, events*stallSessions)
		}
		<-time.After(100 * time.Millisecond)
		fmt.Fprintln(h.in, "tell")
		all = h.line()
	}
	return all.P99
}

type stallEvent struct {
	Due  int64  `json:"due"`
	Text string `json:"text"`
}

// TestHealthyClients is the clients' process.
func TestHealthyClients(t *testing.T) {
	if os.Getenv("GATEHOUSE_BENCH") != "clients" {
		t.Skip("a part of TestBenchStall")
	}
	logs := make([]*latencyLog, stallSessions)
	for i := range logs {
		c := loginRaw(t, "ws://"+os.Getenv("GATEHOUSE_BENCH_ADDR")+"/gateway", fmt.Sprint("healthy-", i))
		c.nc.SetDeadline(time.Time{})
		logs[i] = new(latencyLog)
		go logs[i].read(c)
	}
	tell(latencies{})
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		var all []time.Duration
		for _, l := range logs {
			l.mu.Lock()
			if in.Text() == "forget" {
				l.took = l.took[:0]
			}
			all = append(all, l.took...)
			l.mu.Unlock()
		}
		slices.Sort(all)
		m := latencies{Count: len(all)}
		if len(all) > 0 {
			m.P50, m.P99 = all[len(all)/2], all[len(all)*99/100]
		}
		tell(m)
	}
}

func tell(m latencies) {
	line, _ := json.Marshal(m)
	os.Stdout.Write(append(line, '\n'))
}

// latencyLog is how late a client's events were.
type latencyLog struct {
	mu   sync.Mutex
	took []time.Duration
}

func (l *latencyLog) read(c *rawConn) {
	for {
		_, payload, err := c.read()
		if err != nil {
			return
		}
		now := time.Now().UnixNano()
		_, rest, ok := bytes.Cut(payload, []byte(`"due":`))
		digits, _, _ := bytes.Cut(rest, []byte(","))
		due, err := strconv.ParseInt(string(digits), 10, 64)
		if !ok || err != nil {
			continue
		}
		l.mu.Lock()
		l.took = append(l.took, time.Duration(now-due))
		l.mu.Unlock()
	}
}
