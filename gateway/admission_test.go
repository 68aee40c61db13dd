package gateway

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// upgradeStatus asks for an upgrade and returns what is answered.
func upgradeStatus(t *testing.T, url string) *http.Response {
	t.Helper()
	r, _ := http.NewRequest("GET", "http"+strings.TrimPrefix(url, "ws"), nil)
	for name, value := range map[string]string{"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg=="} {
		r.Header.Set(name, value)
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res
}

// Each kind of arrival has a budget of its own, and is told at once.
func TestBudgets(t *testing.T) {
	t.Run("accept", func(t *testing.T) {
		g, url := testGateway(t, func(o *Options) { o.Limits.AcceptRate = 2 })
		refused := 0
		for range 4 {
			if res := upgradeStatus(t, url); res.StatusCode == 503 && res.Header.Get("Retry-After") != "" {
				refused++
			}
		}
		if refused == 0 || g.Stats().Refused["rate"] != uint64(refused) {
			t.Errorf("%d refused, %v", refused, g.Stats().Refused)
		}
	})
	t.Run("identify", func(t *testing.T) {
		_, url := testGateway(t, func(o *Options) { o.Limits.IdentifyRate = 1 })
		c, session := signIn(t, url, "ann")
		late := dial(t, url)
		late.want(10, "")
		late.identify("bob")
		if m := late.want(9, ""); string(m.D) != "false" {
			t.Errorf("%v", m)
		}
		c.ws.CloseNow()
		late.resume("ann", session, 1) // another budget, on the same connection
		late.want(0, "RESUMED")
	})
	t.Run("resume", func(t *testing.T) {
		_, url := testGateway(t, func(o *Options) { o.Limits.ResumeRate = 1 })
		_, session := signIn(t, url, "ann")
		c := resume(t, url, "ann", session, 1)
		c.want(0, "RESUMED")
		resume(t, url, "ann", session, 1).wantClose(CloseRestart)
		c.send(`{"op":1,"d":1}`) // undisturbed
		c.want(11, "")
	})
	t.Run("user", func(t *testing.T) {
		_, url := testGateway(t, func(o *Options) { o.Limits.UserIdentifies = 2 })
		signIn(t, url, "ann")
		signIn(t, url, "ann")
		c := dial(t, url)
		c.want(10, "")
		c.identify("ann")
		c.wantClose(CloseRateLimited)
		signIn(t, url, "bob")
	})
	t.Run("waiting", func(t *testing.T) {
		hang := make(chan struct{})
		g, url := testGateway(t, func(o *Options) {
			o.Limits.Identifies, o.Limits.SignInsWaiting = 1, 1
			o.Ready = func(context.Context, *Session) (any, error) { <-hang; return nil, nil }
		})
		defer close(hang)
		for i := range 2 {
			c := dial(t, url)
			c.want(10, "")
			c.identify("ann")
			eventually(t, "it waits", func() bool { return g.identifies.Running() == 1 && g.Stats().Received == uint64(i)+1 })
		}
		c := dial(t, url)
		c.want(10, "")
		c.identify("ann")
		c.want(9, "")
	})
}

// failingLimiter is one whose server is down.
type failingLimiter struct{ asked atomic.Int32 }

func (f *failingLimiter) Take(context.Context, string, Rate, int) (time.Duration, error) {
	f.asked.Add(1)
	return 0, errors.New("no server")
}

func TestLimiterThatFailsLimitsNobody(t *testing.T) {
	limiter := new(failingLimiter)
	_, url := testGateway(t, func(o *Options) { o.Limiter = limiter })
	login(t, url, "ann")
	if limiter.asked.Load() != 1 {
		t.Error("nobody asked it")
	}
}

// Memory that gets short costs new connections first, then new sessions, and
// resumes last.
func TestMemoryPressure(t *testing.T) {
	var used atomic.Uint64
	g, url := testGateway(t, func(o *Options) {
		o.usage = func() (uint64, uint64) { return used.Load(), 1000 }
	})
	at := func(share float64) {
		used.Store(uint64(share * 1000))
		eventually(t, "it is noticed", func() bool { return g.memory.pressure.Load() == uint64(share*1000) })
	}
	waiting := dial(t, url)
	waiting.want(10, "")
	c, session := signIn(t, url, "ann")
	resuming := dial(t, url)
	resuming.want(10, "")
	spare := dial(t, url)
	spare.want(10, "")

	at(0.86)
	if res := upgradeStatus(t, url); res.StatusCode != 503 {
		t.Errorf("an upgrade is answered %d", res.StatusCode)
	}
	at(0.91)
	waiting.identify("bob")
	waiting.want(9, "")
	c.ws.CloseNow()
	resuming.resume("ann", session, 1)
	resuming.want(0, "RESUMED")
	at(0.96)
	spare.resume("ann", session, 1)
	spare.wantClose(CloseRestart)
}

// Rings that hold more than they may together give back, the worst first.
func TestRingsHaveABudget(t *testing.T) {
	g, url := testGateway(t, func(o *Options) {
		o.Ready = func(ctx context.Context, s *Session) (any, error) { return nil, s.Subscribe(ctx, s.User().ID) }
		o.Limits.HeldBytes = 300_000
		o.Limits.UnsentBytes = -1
	})
	small, smallID := signIn(t, url, "small")
	large, largeID := signIn(t, url, "large")
	healthy, _ := signIn(t, url, "healthy")
	publish := func(user string, n int) {
		for range n {
			if err := g.Publish(t.Context(), user, Event{Type: "E", Data: strings.Repeat("x", 1000)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	small.ws.CloseNow()
	large.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 2 })
	publish("small", 20)
	publish("healthy", 20)
	publish("large", 280)
	eventually(t, "the worst is given up", func() bool { return g.Stats().GivenUp["detached"] == 1 })
	resume(t, url, "large", largeID, 1).want(9, "")
	small = resume(t, url, "small", smallID, 1)
	for range 20 {
		small.want(0, "E")
	}
	small.want(0, "RESUMED")
	publish("healthy", 300) // sent, and not acknowledged
	for range 320 {
		healthy.want(0, "E")
	}
	eventually(t, "what was sent is forgotten", func() bool { s := g.Stats(); return s.GivenUp["kept"] > 0 && s.HeldBytes < 300_000 })
	publish("healthy", 1)
	if m := healthy.want(0, "E"); *m.S != 322 {
		t.Errorf("%v", m)
	}
}

// When memory is short for other reasons than sessions, ending them frees none:
// they are left alone.
func TestRingsAreNotGivenUpInVain(t *testing.T) {
	g, url := testGateway(t, subscribeTo("t"))
	c, session := signIn(t, url, "ann")
	c.ws.CloseNow()
	eventually(t, "it is noticed", func() bool { return g.Stats().Detached == 1 })
	publishNumbers(t, g, "t", 0, 20)
	eventually(t, "it holds them", func() bool { return g.Stats().Unsent == 20 })
	held := uint64(g.held.Load())
	g.relieve(900*held, 1000*held)
	if n := g.Stats().GivenUp["detached"]; n != 0 {
		t.Errorf("%d sessions were given up for a thousandth of the memory", n)
	}
	resume(t, url, "ann", session, 1).wantEvents(2, 0, 20)
	eventually(t, "something is given up for a tenth of it", func() bool {
		g.relieve(9*held, 10*held)
		return g.Stats().GivenUp["kept"] > 0
	})
}
