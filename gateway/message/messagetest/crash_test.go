package messagetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// memoryCrash is a queue of memory whose server answers nothing while it is down. Its takers are as broken as change
// makes them.
func memoryCrash(change func(q *message.MemoryQueue, b *brokenQueue, down *atomic.Bool)) Crash {
	first := message.NewMemoryQueue()
	var down atomic.Bool
	errDown := errors.New("the server is down")
	return Crash{
		Taker: func(context.Context) (message.Queue, error) {
			if down.Load() {
				return nil, errDown
			}
			q := first.Another()
			b := &brokenQueue{MemoryQueue: q}
			b.put = func(ctx context.Context, items []message.Item) error {
				if down.Load() {
					return errDown
				}
				return q.Put(ctx, items...)
			}
			if change != nil {
				change(q, b, &down)
			}
			return b, nil
		},
		Kill:     func() { down.Store(true) },
		Start:    func() { down.Store(false) },
		Die:      func(q message.Queue) { q.(*brokenQueue).Close() },
		Instants: 6,
	}
}

func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { QueueCrash(t, memoryCrash(nil)) })
}

// Queues that lose, or mix up, what they promised in a crash are caught.
func TestCrashOfBrokenQueues(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(q *message.MemoryQueue, b *brokenQueue, down *atomic.Bool)
		want   string
	}{
		"answers before it keeps": {func(q *message.MemoryQueue, b *brokenQueue, down *atomic.Bool) {
			b.put = func(ctx context.Context, items []message.Item) error {
				if down.Load() {
					return nil
				}
				return q.Put(ctx, items...)
			}
		}, "is not stored"},
		"never comes back": {func(q *message.MemoryQueue, b *brokenQueue, down *atomic.Bool) {
			var gone atomic.Bool
			b.put = func(ctx context.Context, items []message.Item) error {
				if down.Load() {
					gone.Store(true)
				}
				if gone.Load() {
					return errors.New("gone")
				}
				return q.Put(ctx, items...)
			}
		}, "nothing is acknowledged any more"},
		"puts one behind the next": {func(q *message.MemoryQueue, b *brokenQueue, _ *atomic.Bool) {
			var mu sync.Mutex
			count, held := 0, make(map[string]message.Item)
			b.put = func(ctx context.Context, items []message.Item) error {
				mu.Lock()
				defer mu.Unlock()
				var kept []message.Item
				for _, it := range items {
					if count++; count <= crashChannels {
						held[it.Key] = it
						continue
					}
					kept = append(kept, it)
					if late, there := held[it.Key]; there {
						kept = append(kept, late)
						delete(held, it.Key)
					}
				}
				return q.Put(ctx, kept...)
			}
		}, "is stored behind"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				found, err := memoryCrash(tt.change).run(t.Context())
				t.Log(found, err)
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("%v, want %q", err, tt.want)
				}
			})
		})
	}
}
