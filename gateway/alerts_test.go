package gateway

import (
	"encoding/json"
	"expvar"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Each of the four alerts fires when its cause lasts, and recovers when that is
// over, once.
func TestAlerts(t *testing.T) {
	var memoryUsed atomic.Uint64
	for _, tt := range []struct {
		name  string
		setup func(o *Options)
		cause func(t *testing.T, g *Gateway, url string) (end func())
	}{
		{"connect_success", nil, func(t *testing.T, g *Gateway, url string) func() {
			connect := func(key string) {
				r, _ := http.NewRequest("GET", "http"+strings.TrimPrefix(url, "ws"), nil)
				r.Header.Set("Connection", "Upgrade")
				r.Header.Set("Upgrade", "websocket")
				r.Header.Set("Sec-WebSocket-Version", "13")
				r.Header.Set("Sec-WebSocket-Key", key)
				if res, err := http.DefaultClient.Do(r); err == nil {
					res.Body.Close()
				}
			}
			for range 2 * minAttempts {
				connect("no key")
			}
			return func() {
				for range 60 * minAttempts {
					connect("MDEyMzQ1Njc4OWFiY2RlZg==")
				}
			}
		}},
		{"latency_p95", nil, func(t *testing.T, g *Gateway, _ string) func() {
			for range 100 {
				g.stats.latency.Observe(time.Second) // as a lane does that had to wait
			}
			return func() {
				for range 10_000 {
					g.stats.latency.Observe(time.Millisecond)
				}
			}
		}},
		{"queue", nil, func(t *testing.T, g *Gateway, url string) func() {
			_, session := signIn(t, url, "ann")
			s := g.find(session)
			s.mu.Lock() // a worker that cannot get on
			for range laneQueue + 2*runEvents {
				g.deliver(Record{Topic: "t", Type: "E", Data: []byte("1")})
			}
			return s.mu.Unlock
		}},
		{"memory", func(o *Options) {
			o.usage = func() (uint64, uint64) { return memoryUsed.Load(), 100 }
		}, func(*testing.T, *Gateway, string) func() {
			memoryUsed.Store(81)
			return func() { memoryUsed.Store(50) }
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			alerts := make(chan Alert, 10)
			g, url := testGateway(t, func(o *Options) {
				subscribeTo("t")(o)
				o.Thresholds = Thresholds{For: -1, RecoverFor: -1}
				o.OnAlert = func(a Alert) {
					if a.Name == tt.name { // one cause may have several effects
						alerts <- a
					}
				}
				if tt.setup != nil {
					tt.setup(o)
				}
			})
			told := func() Alert {
				select {
				case a := <-alerts:
					return a
				case <-time.After(20 * time.Second):
					return Alert{Name: "none within 20 s"}
				}
			}
			end := tt.cause(t, g, url)
			if a := told(); a.Name != tt.name || !a.Firing {
				end()
				t.Fatalf("%+v", a)
			}
			end()
			if a := told(); a.Name != tt.name || a.Firing {
				t.Fatalf("%+v", a)
			}
			if len(alerts) != 0 {
				t.Errorf("%+v too", <-alerts)
			}
		})
	}
}

// Stats go to expvar as they are.
func TestExpvar(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	c := login(t, url, "ann")
	publishNumbers(t, g, "t", 0, 3)
	c.wantEvents(2, 0, 3)
	eventually(t, "the latency is known", func() bool { return g.Stats().Latency.Count == 3 })
	var v expvar.Var = g.Expvar()
	var s Stats
	if err := json.Unmarshal([]byte(v.String()), &s); err != nil {
		t.Fatal(err)
	}
	if s.Connections != 1 || s.Sessions != 1 || s.Delivered != 3 || s.Unsent != 0 || s.Queued != 0 || s.ConnectSuccess != 1 {
		t.Errorf("%+v", s)
	}
	if s.Latency.P50 <= 0 || s.Latency.P50 > s.Latency.P99 || s.HeldBytes == 0 {
		t.Errorf("%+v, %d bytes held", s.Latency, s.HeldBytes)
	}
	if len(s.Shards) != 1 || s.Shards[0].Connections != 1 {
		t.Errorf("shards %+v", s.Shards)
	}
}
