package postgres

import (
	"context"
	"errors"
	"net"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/internal/servers"
)

// wire stands between clients and a server, and may be cut so that nobody notices.
type wire struct {
	net.Listener
	to string

	mu    sync.Mutex
	cut   bool
	ends  []net.Conn
	lines sync.WaitGroup
}

func newWire(t *testing.T, to string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, to: to}
	w.lines.Go(w.serve)
	return w
}

// end has both sides know.
func (w *wire) end() {
	w.Close()
	w.mu.Lock()
	for _, end := range w.ends {
		end.Close()
	}
	w.mu.Unlock()
	w.lines.Wait()
}

func (w *wire) serve() {
	for {
		client, err := w.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.to)
		if err != nil {
			client.Close()
			continue
		}
		w.mu.Lock()
		w.ends = append(w.ends, client, server)
		w.mu.Unlock()
		w.lines.Go(func() { w.carry(client, server) })
		w.lines.Go(func() { w.carry(server, client) })
	}
}

// carry copies until it is cut; then it swallows.
func (w *wire) carry(from, to net.Conn) {
	defer from.Close()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		if err != nil {
			if !w.isCut() {
				to.Close()
			}
			return
		}
		if !w.isCut() {
			to.Write(buffer[:n])
		}
	}
}

func (w *wire) isCut() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}

// silence has a server that does not answer any more, or never did: each call ends with its context.
func silence(t *testing.T, s *servers.PostgresServer) {
	w := newWire(t, s.Addr())
	defer w.end()
	u, err := url.Parse(s.URL())
	if err != nil {
		t.Fatal(err)
	}
	u.Host = w.Addr().String()
	store := opened(t, u.String())
	x, r := store.Index(), follow(t, store, u.String())
	m := said("7", 1)
	if err := errors.Join(store.Append(t.Context(), "7", []message.Message{m}), x.Add(t.Context(), []message.Message{m})); err != nil {
		t.Fatal(err)
	}
	w.mu.Lock()
	w.cut = true
	w.mu.Unlock()
	for name, call := range map[string]func(ctx context.Context) error{
		"append": func(ctx context.Context) error { return store.Append(ctx, "7", []message.Message{said("7", 2)}) },
		"append to a new month": func(ctx context.Context) error {
			return store.Append(ctx, "7", []message.Message{said("7", 1e8)})
		},
		"page":   func(ctx context.Context) error { _, err := store.Page(ctx, "7", message.Query{Limit: 1}); return err },
		"edit":   func(ctx context.Context) error { return store.Edit(ctx, m) },
		"delete": func(ctx context.Context) error { _, err := store.Delete(ctx, "7", 1); return err },
		"add":    func(ctx context.Context) error { return x.Add(ctx, []message.Message{m}) },
		"remove": func(ctx context.Context) error { return x.Remove(ctx, "7", 1) },
		"search": func(ctx context.Context) error {
			_, err := x.Search(ctx, message.Search{Text: "x", Limit: 1})
			return err
		},
		"lag":          func(ctx context.Context) error { _, err := r.Lag(ctx); return err },
		"replica page": func(ctx context.Context) error { _, err := r.Page(ctx, "7", message.Query{Limit: 1}); return err },
		"open": func(ctx context.Context) error {
			_, err := Open(ctx, u.String(), Options{})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
			defer cancel()
			began := time.Now()
			err := call(ctx)
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func TestNoServer(t *testing.T) {
	for _, to := range []string{"postgres://127.0.0.1:1/x?sslmode=disable", "postgres://ann:secret@nowhere.invalid:x/x", "what = is this"} {
		s, err := Open(t.Context(), to, Options{})
		if err == nil {
			s.Close()
			t.Errorf("%s: it opened", to)
		}
		t.Log(err)
	}
}
