package gateway

import (
	"encoding/json"
	"expvar"
	"net/http"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/internal/memory"
)

// Each of the four alerts fires when its cause lasts, and recovers when that is
// over, once.
func TestAlerts(t *testing.T) {
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
		{"latency_p95", nil, func(t *testing.T, g *Gateway, url string) func() {
			c, session := signIn(t, url, "ann")
			go func() {
				for {
					if _, err := c.read(); err != nil {
						return
					}
				}
			}()
			s := g.find(session)
			s.mu.Lock() // a worker that is held up
			for range 50 {
				g.deliver(Record{Topic: "t", Type: "E", Data: []byte("1")})
			}
			<-time.After(300 * time.Millisecond)
			s.mu.Unlock()
			return func() {
				for n := range 60 {
					publishNumbers(t, g, "t", 0, 50)
					eventually(t, "they are sent", func() bool { return g.Stats().Delivered == uint64(n+2)*50 })
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
			used, _ := memory.New(1).Usage()
			o.Limits.Memory = int(2*used) + 200<<20
		}, func(_ *testing.T, g *Gateway, _ string) func() {
			ballast := make([]byte, g.limits.Memory)
			for i := 0; i < len(ballast); i += 4096 {
				ballast[i] = 1
			}
			return func() {
				runtime.KeepAlive(ballast)
				ballast = nil
				debug.FreeOSMemory()
			}
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
