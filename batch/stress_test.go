package batch_test

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

// TestStartStop makes and closes batchers in real time while they are used from all sides.
func TestStartStop(t *testing.T) {
	for round := range 200 {
		var flushed, lost, added atomic.Int64
		k := batch.NewKeyed(func(_ context.Context, key int, items []int) error {
			if key == 0 && len(items)%2 == 1 {
				return errors.New("odd")
			}
			flushed.Add(int64(len(items)))
			return nil
		}, batch.Options{MaxItems: 7, MaxDelay: 50 * time.Microsecond, Leading: round%2 == 0, MaxPending: 40, Backoff: time.Microsecond},
			batch.KeyedHooks[int, int]{OnError: func(_ int, items []int, _ error) { lost.Add(int64(len(items))) }})
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 200 {
					err := k.Add(t.Context(), (g+i)%5, i)
					if err == nil {
						added.Add(1)
					}
					if err == batch.ErrClosed {
						return
					}
					if i%10 == 0 {
						_ = k.Stats()
					}
				}
			})
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		for range round % 50 {
			_ = k.TryAdd(9, -1)
		}
		var closers sync.WaitGroup
		for range 2 {
			closers.Go(func() {
				if err := k.Close(ctx); err != nil {
					t.Error(err)
				}
			})
		}
		closers.Wait()
		wg.Wait()
		cancel()
		s := k.Stats()
		if int64(s.Processed) != flushed.Load() || int64(s.Failed) != lost.Load() || s.Queued != 0 {
			t.Fatalf("round %d: %+v, flushed %d, lost %d", round, s, flushed.Load(), lost.Load())
		}
		if int64(s.Processed+s.Failed) < added.Load() {
			t.Fatalf("round %d: %+v, but %d were added", round, s, added.Load())
		}
	}
}

// TestAddRacesWithItsContext lets room and the end of ctx come to a waiting Add at the same time: nil means added, and
// nothing else does.
func TestAddRacesWithItsContext(t *testing.T) {
	var flushed atomic.Int64
	hold := make(chan struct{})
	b := batch.New(func(context.Context, []int) error {
		<-hold
		flushed.Add(1)
		return nil
	}, batch.Options{MaxItems: 1, MaxPending: 1})
	added := int64(0)
	for range 3000 {
		if err := b.Add(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		added++
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- b.Add(ctx, 2) }()
		for b.Stats().Waiting == 0 {
			runtime.Gosched()
		}
		go cancel()
		hold <- struct{}{}
		if <-result == nil {
			added++
			hold <- struct{}{}
		}
	}
	if err := b.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := flushed.Load(); got != added {
		t.Errorf("%d were added, %d flushed", added, got)
	}
}
