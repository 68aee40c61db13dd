package degraded

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/gatewaytest"
)

// World is what Test needs.
type World struct {
	Options   gateway.Options       // the parts; Test sets the rest
	Publisher gatewaytest.Publisher // does not depend on the gateway
	Down, Up  func()                // take the servers away, and give them back
	Parts     []string              // that are to be degraded, in the order of Options
}

const (
	clients  = 4
	patience = time.Minute
	// noticed is how soon a gateway knows: as soon as a heartbeat or two of its parts have failed.
	noticed = 20 * time.Second
)

// Test has clients sign in, the servers go away for a while, and come back. It fails unless the gateway
// says so in between, with each part, once in its log; keeps all its connections; and is well again, with
// all that was published delivered once.
func Test(t *testing.T, w World) {
	ctx, cancel := context.WithCancel(context.Background())
	oracle, network, log := gatewaytest.NewOracle(), gatewaytest.NewNetwork(gatewaytest.NetworkOptions{}), new(changes)
	o := w.Options
	o.Logger = slog.New(log)
	o.Authenticate = func(_ context.Context, id gateway.Identify) (gateway.User, error) {
		return gateway.User{ID: id.Token}, nil
	}
	o.Ready = func(ctx context.Context, s *gateway.Session) (any, error) {
		return nil, oracle.Subscribe(ctx, s, "all", "topic of "+s.User().ID)
	}
	gw, err := gateway.New(o)
	if err != nil {
		t.Fatal(err)
	}
	network.Serve(t, "node", gw)
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	var all []*gatewaytest.Client
	for i := range clients {
		c := network.Client(t, gatewaytest.ClientOptions{Addr: "node", Token: fmt.Sprint("user", i), Seed: uint64(i), Oracle: oracle})
		all = append(all, c)
		running.Go(func() { c.Run(ctx) })
	}
	until(t, patience, "everybody is there", func() bool {
		return !slices.ContainsFunc(all, func(c *gatewaytest.Client) bool { return !c.Ready() })
	})
	before := gw.Stats()
	publish := func() {
		for i := range clients {
			for _, topic := range []string{"all", fmt.Sprint("topic of user", i)} {
				if err := oracle.Publish(ctx, w.Publisher, topic, gateway.Event{Type: "E"}); err != nil {
					t.Logf("publish: %v", err) // it may be there: the oracle knows
				}
			}
		}
	}
	publish()
	until(t, patience, "all is well", func() bool { return len(gw.Degraded()) == 0 && oracle.Check().Err() == nil })

	began := time.Now()
	w.Down()
	until(t, noticed, fmt.Sprintf("%v are degraded", w.Parts), func() bool {
		all := gw.Degraded()
		return slices.EqualFunc(all, w.Parts, func(t gateway.Trouble, part string) bool { return t.Part == part && t.Err != nil })
	})
	t.Logf("known after %v: %v", time.Since(began).Round(100*time.Millisecond), gw.Degraded())
	if gw.Health() != nil {
		t.Error("a degraded gateway serves")
	}
	publishing := make(chan struct{})
	go func() {
		defer close(publishing)
		publish() // waits for the servers, or fails
	}()
	began = time.Now()
	w.Up()
	until(t, patience, "all is well again", func() bool { return len(gw.Degraded()) == 0 })
	t.Logf("well again after %v", time.Since(began).Round(100*time.Millisecond))
	<-publishing
	publish()
	until(t, patience, "everybody has everything", func() bool { return oracle.Check().Err() == nil })

	r, st := oracle.Check(), gw.Stats()
	t.Log(r)
	if r.Told > 0 || st.SessionsStarted != before.SessionsStarted || st.Accepted != before.Accepted || st.Gaps > 0 {
		t.Errorf("%v; there are %d new connections, %d new sessions and %d gaps; closed: %v", r, st.Accepted-before.Accepted, st.SessionsStarted-before.SessionsStarted, st.Gaps, st.Closes)
	}
	for _, part := range w.Parts {
		if got := log.of(part); got != "WARN INFO" {
			t.Errorf("of %s the log says %q, want one line in each direction", part, got)
		}
	}
}

func until(t *testing.T, within time.Duration, what string, holds func() bool) {
	t.Helper()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for began := time.Now(); !holds(); <-ticker.C {
		if time.Since(began) > within {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}

// changes is the log of a gateway, of which it keeps what is said of its parts.
type changes struct {
	mu  sync.Mutex
	all []string
}

func (c *changes) Enabled(context.Context, slog.Level) bool { return true }
func (c *changes) WithAttrs([]slog.Attr) slog.Handler       { return c }
func (c *changes) WithGroup(string) slog.Handler            { return c }

func (c *changes) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "part" {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.all = append(c.all, a.Value.String()+" "+r.Level.String())
		}
		return true
	})
	return nil
}

// of is the levels at which something was said of a part.
func (c *changes) of(part string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var levels []string
	for _, line := range c.all {
		if of, level, _ := strings.Cut(line, " "); of == part {
			levels = append(levels, level)
		}
	}
	return strings.Join(levels, " ")
}
