package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/coder/websocket/wsjson"

	"github.com/gatehouse-go/gatehouse/examples/sharded/nginx"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/shard"
)

// needNginx skips a test where there is none; with CI=true it fails.
func needNginx(t *testing.T) {
	t.Helper()
	if os.Getenv("GATEHOUSE_SERVERS") != "true" {
		t.Skip("real servers are started by `make balanced`, or with GATEHOUSE_SERVERS=true")
	}
	if _, err := exec.LookPath("nginx"); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatal(nginx.ErrNotInstalled)
		}
		t.Skip(nginx.ErrNotInstalled)
	}
}

func openSite(t *testing.T, nodes int) *site {
	t.Helper()
	s, err := open(t.Context(), servers.Address(t), nodes)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// guest is a client that comes back when it is sent away.
type guest struct {
	user    string
	addr    string
	ws      *websocket.Conn
	session string
	seq     uint64
	sent    int // elsewhere
	calls   int // whose replies a session remembers by their number
}

type envelope struct {
	Op int             `json:"op"`
	D  json.RawMessage `json:"d"`
	S  *uint64         `json:"s"`
	T  string          `json:"t"`
}

func (g *guest) connect(ctx context.Context) error {
	ws, _, err := websocket.Dial(ctx, "ws://"+g.addr+"/gateway?ext=1&user="+g.user, nil)
	if err != nil {
		return err
	}
	g.ws = ws
	if g.session != "" {
		return g.send(ctx, 6, map[string]any{"token": g.user, "session_id": g.session, "seq": g.seq})
	}
	return g.send(ctx, 2, map[string]any{"token": g.user, "intents": 0, "properties": map[string]any{}})
}

func (g *guest) send(ctx context.Context, op int, d any) error {
	return wsjson.Write(ctx, g.ws, map[string]any{"op": op, "d": d})
}

// next is the next dispatch or answer.
func (g *guest) next(ctx context.Context) (envelope, error) {
	for {
		var m envelope
		if err := wsjson.Read(ctx, g.ws, &m); err != nil {
			if websocket.CloseStatus(err) != 1012 {
				return m, fmt.Errorf("%s: %w", g.user, err)
			}
			if err := g.connect(ctx); err != nil {
				return m, err
			}
			continue
		}
		switch m.Op {
		case 0:
			g.seq = *m.S
			if m.T == "READY" {
				var d struct {
					ID string `json:"session_id"`
				}
				if err := json.Unmarshal(m.D, &d); err != nil {
					return m, err
				}
				g.session = d.ID
			}
			return m, nil
		case 1:
			if err := g.send(ctx, 1, g.seq); err != nil {
				return m, err
			}
		case 7:
			g.sent++
		case 9:
			return m, errors.New("the session is lost")
		case 101:
			return m, nil
		}
	}
}

// where is the node that says it has the guest.
func (g *guest) where(ctx context.Context) (string, error) {
	g.calls++
	if err := g.send(ctx, 100, map[string]any{"t": "WHERE", "n": g.calls}); err != nil {
		return "", err
	}
	for {
		m, err := g.next(ctx)
		if err != nil {
			return "", err
		}
		var d struct {
			N int    `json:"n"`
			D string `json:"d"`
		}
		if m.Op == 101 && json.Unmarshal(m.D, &d) == nil && d.N == g.calls {
			return d.D, nil
		}
	}
}

// Everybody is on the node that the ring says, also after nodes came and went, hears all that is said, once, and is
// sent elsewhere only when they belong elsewhere.
func TestNodesComeAndGo(t *testing.T) {
	needNginx(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	s := openSite(t, 3)
	var guests []*guest
	for i := range 30 {
		g := &guest{user: fmt.Sprint("guest-", i), addr: s.addr}
		if err := g.connect(ctx); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { g.ws.CloseNow() })
		if m, err := g.next(ctx); err != nil || m.T != "READY" {
			t.Fatalf("%v %v", m, err)
		}
		guests = append(guests, g)
	}
	owner := func(nodes []*node) func(string) string {
		var members []shard.Node
		for _, n := range nodes {
			members = append(members, shard.Node{ID: n.addr})
		}
		ring, err := shard.NewNginxRing(members...)
		if err != nil {
			t.Fatal(err)
		}
		return ring.Owner
	}
	before := owner(s.running())
	moves := map[string]int{}
	for round, n := range []int{3, 5, 2} {
		moved, err := s.resize(ctx, n)
		if err != nil {
			t.Fatal(err)
		}
		after := owner(s.running())
		want := 0
		for _, g := range guests {
			if before(g.user) != after(g.user) {
				moves[g.user]++
				want++
			}
		}
		if moved != want || (round > 0 && want == 0) {
			t.Errorf("%d nodes: %d sessions moved, want %d", n, moved, want)
		}
		before = after
		if err := s.running()[0].gw.Publish(ctx, lobby, gateway.Event{Type: "SAID", Data: said{Text: "last"}}); err != nil {
			t.Fatal(err)
		}
		var all sync.WaitGroup
		for _, g := range guests {
			all.Go(func() {
				for heard := ""; heard != "last"; {
					m, err := g.next(ctx)
					if err != nil {
						t.Error(err)
						return
					}
					var d said
					if m.T == "SAID" && json.Unmarshal(m.D, &d) == nil {
						heard = d.Text
					}
				}
				if at, err := g.where(ctx); err != nil || at != after(g.user) {
					t.Errorf("%s is at %s, the ring says %s: %v", g.user, at, after(g.user), err)
				}
				if g.sent != moves[g.user] {
					t.Errorf("%s was sent elsewhere %d times, want %d", g.user, g.sent, moves[g.user])
				}
			})
		}
		all.Wait()
	}
}

// The page comes through nginx, and changes the number of nodes.
func TestPage(t *testing.T) {
	needNginx(t)
	s := openSite(t, 1)
	get := func(path string) string {
		resp, err := http.Get("http://" + s.addr + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(body)
	}
	if text := get("/"); !strings.Contains(text, "<title>sharded</title>") {
		t.Errorf("the page is %s", text)
	}
	for query, want := range map[string]int{"n=0": 400, "n=11": 400, "": 400, "n=2": 202} {
		resp, err := http.Post("http://"+s.addr+"/nodes?"+query, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%q: %s", query, resp.Status)
		}
	}
	s.changes.Wait()
	var rows []struct{ Node string }
	if err := json.Unmarshal([]byte(get("/nodes")), &rows); err != nil || len(rows) != 2 {
		t.Errorf("%v %v", rows, err)
	}
}

// run serves until it is told to end.
func TestRun(t *testing.T) {
	needNginx(t)
	addr := servers.Address(t)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- run(ctx, addr, 2) }()
	for resp, err := http.Get("http://" + addr); ; resp, err = http.Get("http://" + addr) {
		if err == nil {
			resp.Body.Close()
			break
		}
		select {
		case err := <-done:
			t.Fatal(err)
		case <-time.After(20 * time.Millisecond):
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
