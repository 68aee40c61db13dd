package gateway

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/presence"
)

// ailing is what has an error, for as long as a test wants.
type ailing struct{ lastError }

func (a *ailing) Err() error { return a.get() }

type ailingBroker struct {
	*MemoryBroker
	ailing
}

type ailingLimiter struct {
	*MemoryLimiter
	ailing
}

// ailingSessions is a store that fails, and does not know it.
type ailingSessions struct {
	*MemorySessions
	failed lastError
}

func (s *ailingSessions) Renew(ctx context.Context, node string, lease time.Duration) error {
	if err := s.failed.get(); err != nil {
		return err
	}
	return s.MemorySessions.Renew(ctx, node, lease)
}

// ailingPresence is likewise.
type ailingPresence struct {
	presence.Store
	failed lastError
}

func (p *ailingPresence) Since(ctx context.Context, cursor uint64) ([]presence.Entry, uint64, error) {
	if err := p.failed.get(); err != nil {
		return nil, cursor, err
	}
	return p.Store.Since(ctx, cursor)
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *lines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), "part="+part)
}

// What a part of the gateway says of itself, or what the gateway meets with it, is there to be seen
// within seconds: which, why, since when, once in the log. It is gone when the part works again.
func TestDegraded(t *testing.T) {
	away := errors.New("no route to 10.0.0.7")
	for _, part := range []string{"broker", "sessions", "limiter", "presence"} {
		t.Run(part, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				broker := &ailingBroker{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{})}
				sessions := &ailingSessions{MemorySessions: NewMemorySessions()}
				limiter := &ailingLimiter{MemoryLimiter: NewMemoryLimiter()}
				people := &ailingPresence{Store: presence.NewMemoryStore()}
				log := new(lines)
				logger := slog.New(slog.NewTextHandler(log, nil))
				g, err := New(Options{
					Authenticate: func(context.Context, Identify) (User, error) { return User{}, ErrUnauthorized },
					Broker:       broker, Sessions: sessions, Limiter: limiter, Presence: presence.Options{Store: people, Logger: logger}, Logger: logger,
				})
				if err != nil {
					t.Fatal(err)
				}
				defer g.Shutdown(context.Background())
				health := func() string {
					w := httptest.NewRecorder()
					g.ServeHealth(w, nil)
					if w.Code != 200 || g.Health() != nil {
						t.Errorf("it answers %d, and its health is %v", w.Code, g.Health())
					}
					return w.Body.String()
				}
				time.Sleep(5 * time.Second)
				if all := g.Degraded(); len(all) > 0 || health() != "ok\n" || g.Stats().Degraded != nil {
					t.Fatalf("%v, though all is well", all)
				}
				failed := map[string]*lastError{"broker": &broker.lastError, "sessions": &sessions.failed, "limiter": &limiter.lastError, "presence": &people.failed}[part]
				began := time.Now()
				failed.set(away)
				time.Sleep(5 * time.Second)
				later := errors.New("it is another reason by now")
				failed.set(later)
				time.Sleep(5 * time.Second)
				all := g.Degraded()
				if len(all) != 1 || all[0].Part != part || !errors.Is(all[0].Err, later) || all[0].Since.Before(began) || all[0].Since.After(began.Add(4*time.Second)) {
					t.Fatalf("%v after 10 s, want %s since %v", all, part, began)
				}
				if got := health(); got != "degraded\n"+part+" since "+all[0].Since.UTC().Format(time.RFC3339)+"\n" {
					t.Errorf("the health says %q", got)
				}
				if lasts := g.Stats().Degraded[part]; lasts < 6*time.Second || lasts > 10*time.Second {
					t.Errorf("for %v, after 10 s", lasts)
				}
				failed.set(nil)
				time.Sleep(5 * time.Second)
				if all := g.Degraded(); len(all) > 0 || health() != "ok\n" {
					t.Errorf("%v, though it works again", all)
				}
				if n := log.count(part); n != 2 {
					t.Errorf("the log says it %d times, want once in each direction:\n%s", n, log.text.String())
				}
			})
		})
	}
}

// A gateway of which several parts fail says so of each, in the order of Options; one that drains says
// that alone.
func TestDegradedAndDraining(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broker := &ailingBroker{MemoryBroker: NewMemoryBroker(MemoryBrokerOptions{})}
		limiter := &ailingLimiter{MemoryLimiter: NewMemoryLimiter()}
		g, err := New(Options{
			Authenticate: func(context.Context, Identify) (User, error) { return User{}, ErrUnauthorized },
			Broker:       broker, Limiter: limiter, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		limiter.set(errors.New("one"))
		time.Sleep(3 * time.Second)
		broker.set(errors.New("two"))
		time.Sleep(3 * time.Second)
		var parts []string
		for _, trouble := range g.Degraded() {
			parts = append(parts, trouble.Part)
		}
		if !slices.Equal(parts, []string{"broker", "limiter"}) {
			t.Errorf("%v", parts)
		}
		if err := g.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		w := httptest.NewRecorder()
		g.ServeHealth(w, nil)
		if w.Code != 503 || w.Body.String() != "draining\n" {
			t.Errorf("it answers %d %q", w.Code, w.Body)
		}
	})
}
