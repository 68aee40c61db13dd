package gatewaytest

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func TestMemoryLimiter(t *testing.T) {
	Limiter(t, func(*testing.T) gateway.Limiter { return gateway.NewMemoryLimiter() })
}

// brokenLimiter is a limiter in which one sentence of the contract does not hold.
type brokenLimiter func(l *gateway.MemoryLimiter, ctx context.Context, key string, rate gateway.Rate, n int) (time.Duration, error)

type brokenLimiterOf struct {
	*gateway.MemoryLimiter
	take brokenLimiter
}

func (b brokenLimiterOf) Take(ctx context.Context, key string, rate gateway.Rate, n int) (time.Duration, error) {
	return b.take(b.MemoryLimiter, ctx, key, rate, n)
}

// brokenLimiters has, for every case, a limiter that it refuses.
func brokenLimiters() map[string]brokenLimiter {
	type (
		limiter = gateway.MemoryLimiter
		rate    = gateway.Rate
	)
	var mu sync.Mutex
	seen := map[string]int{}
	meeting := make(chan struct{})
	var once sync.Once
	return map[string]brokenLimiter{
		"UnknownIsFull": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			if seen[key]++; seen[key] == 1 && r.Burst > 1 {
				l.Take(ctx, key, r, 1)
			}
			return l.Take(ctx, key, r, n)
		},
		"Empty": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			wait, err := l.Take(ctx, key, r, n)
			if wait > 0 {
				wait += r.Per
			}
			return wait, err
		},
		"AllOrNothing": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			for range n {
				if wait, err := l.Take(ctx, key, r, 1); wait > 0 || err != nil {
					return wait, err
				}
			}
			return 0, nil
		},
		"HintIsEnough": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			wait, err := l.Take(ctx, key, r, n)
			return (wait + 3) / 4, err
		},
		"NeverWaits": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			wait, err := l.Take(ctx, key, r, n)
			if wait > 0 {
				<-ctx.Done()
				return 0, ctx.Err()
			}
			return wait, err
		},
		"Evenly": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			r.Per /= 10 // all at once
			return l.Take(ctx, key, r, n)
		},
		"UpToBurst": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			mu.Lock()
			defer mu.Unlock()
			if seen[key] += n; seen[key] <= 3*r.Burst {
				return 0, nil
			}
			return l.Take(ctx, key, r, n)
		},
		"KeysApart": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			return l.Take(ctx, strings.ToLower(key), r, n)
		},
		"FollowsRate": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			r.Per = time.Hour
			return l.Take(ctx, key, r, n)
		},
		"Concurrent": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			mu.Lock()
			first := seen[key]
			mu.Unlock()
			if first < r.Burst {
				once.Do(func() { time.AfterFunc(50*time.Millisecond, func() { close(meeting) }) })
				<-meeting
				mu.Lock()
				seen[key] += n
				mu.Unlock()
				return 0, nil
			}
			return l.Take(ctx, key, r, n)
		},
		"Refuses": func(l *limiter, ctx context.Context, key string, r rate, n int) (time.Duration, error) {
			return l.Take(ctx, key, r, max(n, 1))
		},
		"Context": func(l *limiter, _ context.Context, key string, r rate, n int) (time.Duration, error) {
			return l.Take(context.Background(), key, r, n)
		},
	}
}

func TestEachLimiterCaseCatches(t *testing.T) {
	for _, c := range limiterCases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				take, ok := brokenLimiters()[c.name]
				if !ok {
					t.Fatal("nobody is caught by it")
				}
				if c.run(t.Context(), brokenLimiterOf{gateway.NewMemoryLimiter(), take}) == nil {
					t.Error("a broken limiter passes")
				}
			})
		})
	}
}
