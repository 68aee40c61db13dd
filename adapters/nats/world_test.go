package nats_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	natsgo "github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// lease is that of takers that die: long for a machine that is busy, short for who waits for it.
const lease = 2 * time.Second

// patience is how long what must happen may take. Nothing waits for it to pass.
const patience = time.Minute

// serverEnv has this program be a server: its value is host, port and folder.
const serverEnv = "NATS_TEST_SERVER"

func TestMain(m *testing.M) {
	if text := os.Getenv(serverEnv); text != "" {
		var o server.Options
		if _, err := fmt.Sscan(text, &o.Host, &o.Port, &o.StoreDir); err != nil {
			panic(err)
		}
		if _, err := serve(&o); err != nil {
			panic(err)
		}
		_, _ = io.Copy(io.Discard, os.Stdin) // it ends with the test
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// serve starts a server of this process, with JetStream.
func serve(o *server.Options) (*server.Server, error) {
	o.JetStream, o.NoLog, o.NoSigs = true, true, true
	o.DisableJetStreamBanner = true
	if o.JetStreamMaxStore == 0 {
		o.JetStreamMaxStore = 1 << 50 // many brokers reserve more than a small disk has
	}
	s, err := server.NewServer(o)
	if err != nil {
		return nil, err
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		return nil, fmt.Errorf("no server within %v", patience)
	}
	return s, nil
}

// embedded is the address of a server of this process.
func embedded(t testing.TB, change ...func(*server.Options)) string {
	t.Helper()
	o := &server.Options{Host: "127.0.0.1", Port: -1, StoreDir: t.TempDir()}
	for _, f := range change {
		f(o)
	}
	s, err := serve(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	return s.Addr().String()
}

// process is a server that is a process of its own, and its data. Its methods are for the goroutine of
// its test.
type process struct {
	t          testing.TB
	host, port string
	dir        string
	cmd        *exec.Cmd
}

func newProcess(t testing.TB) *process {
	t.Helper()
	host, port, _ := net.SplitHostPort(servers.Address(t))
	p := &process{t: t, host: host, port: port, dir: t.TempDir()}
	p.Start()
	t.Cleanup(p.Kill)
	return p
}

func (p *process) Addr() string { return net.JoinHostPort(p.host, p.port) }

// Start starts it on the data that it had, and returns when it serves.
func (p *process) Start() {
	p.t.Helper()
	p.cmd = exec.Command(os.Args[0])
	p.cmd.Env = append(os.Environ(), serverEnv+"="+p.host+" "+p.port+" "+p.dir)
	p.cmd.Stdout, p.cmd.Stderr = os.Stderr, os.Stderr
	if _, err := p.cmd.StdinPipe(); err != nil {
		p.t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	eventually(p.t, "a server", func() error {
		conn, err := net.DialTimeout("tcp", p.Addr(), time.Second)
		if err == nil {
			conn.Close()
		}
		return err
	})
}

// Kill ends it with SIGKILL.
func (p *process) Kill() {
	if p.cmd != nil {
		_ = p.cmd.Process.Kill()
		_ = p.cmd.Wait()
		p.cmd = nil
	}
}

func connect(t testing.TB, addrs string, options ...natsgo.Option) jetstream.JetStream {
	t.Helper()
	options = append([]natsgo.Option{
		natsgo.MaxReconnects(-1), natsgo.ReconnectWait(50 * time.Millisecond), natsgo.RetryOnFailedConnect(true),
		natsgo.ErrorHandler(func(*natsgo.Conn, *natsgo.Subscription, error) {}),
	}, options...)
	conn, err := natsgo.Connect(addrs, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	return js
}

func open(t testing.TB, js jetstream.JetStream, name string, o nats.QueueOptions) *nats.Queue {
	t.Helper()
	q, err := nats.NewQueue(context.Background(), js, name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { q.Close() })
	return q
}

// put puts items n to m-1 of a key.
func put(t testing.TB, q *nats.Queue, key string, n, m int) {
	t.Helper()
	var items []message.Item
	for ; n < m; n++ {
		items = append(items, message.Item{Key: key, Data: []byte(strconv.Itoa(n))})
	}
	if err := q.Put(context.Background(), items...); err != nil {
		t.Fatal(err)
	}
}

// take takes n items, in as many calls as that needs.
func take(t testing.TB, q *nats.Queue, n int) (items []message.Item) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for len(items) < n {
		some, err := q.Take(ctx, n-len(items))
		if ctx.Err() != nil {
			t.Fatalf("with %d of %d items: %v", len(items), n, err)
		}
		items = append(items, some...)
	}
	return items
}

// show is "data:tries" of items.
func show(items []message.Item) (text string) {
	for _, it := range items {
		text += fmt.Sprintf("%s:%d ", it.Data, it.Tries)
	}
	return text
}

// eventually tries until it succeeds.
func eventually(t testing.TB, what string, try func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for {
		err := try()
		if err == nil {
			return
		}
		rest(ctx, 20*time.Millisecond)
		if ctx.Err() != nil {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

// rest waits, unless ctx ends before that.
func rest(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// clustered are the addresses of three servers of this process that are one cluster.
func clustered(t testing.TB) string {
	t.Helper()
	const n = 3
	var routes, addrs []string
	var ports []int
	var host string
	for range n { // each has to know the others beforehand
		addr := servers.Address(t)
		routes = append(routes, "nats://"+addr)
		var port string
		host, port, _ = net.SplitHostPort(addr)
		number, _ := strconv.Atoi(port)
		ports = append(ports, number)
	}
	var starting sync.WaitGroup
	all, errs := make([]*server.Server, n), make([]error, n)
	for i := range n {
		o := &server.Options{Host: "127.0.0.1", Port: -1, StoreDir: t.TempDir(), ServerName: fmt.Sprint("s", i)}
		o.Cluster = server.ClusterOpts{Name: "three", Host: host, Port: ports[i]}
		o.Routes = server.RoutesFromStr(strings.Join(routes, ","))
		starting.Go(func() { all[i], errs[i] = serve(o) })
	}
	starting.Wait()
	for i, s := range all {
		if errs[i] != nil {
			t.Fatal(errs[i])
		}
		t.Cleanup(func() {
			s.Shutdown()
			s.WaitForShutdown()
		})
		addrs = append(addrs, s.Addr().String())
	}
	js := connect(t, addrs[0])
	eventually(t, "a cluster that knows its servers", func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "first", Replicas: n})
		return err
	})
	return strings.Join(addrs, ",")
}
