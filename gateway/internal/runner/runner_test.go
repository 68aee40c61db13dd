package runner

import (
	"context"
	"errors"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestOneOwnersJobsRunInOrderOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(3, 0)
		var running, most atomic.Int32
		var mu sync.Mutex
		got := map[int][]int{}
		queues := make([]Queue, 10)
		for job := range 50 {
			for owner := range queues {
				r.Go(&queues[owner], 0, func() {
					now := running.Add(1)
					for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
					}
					time.Sleep(time.Millisecond)
					running.Add(-1)
					mu.Lock()
					got[owner] = append(got[owner], job)
					mu.Unlock()
				})
			}
		}
		if err := r.Wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if most.Load() != 3 {
			t.Errorf("%d jobs ran at once, want 3", most.Load())
		}
		for owner, jobs := range got {
			if len(jobs) != 50 {
				t.Fatalf("owner %d: %d jobs ran", owner, len(jobs))
			}
			for i, job := range jobs {
				if i != job {
					t.Fatalf("owner %d: job %d ran as number %d", owner, job, i)
				}
			}
		}
	})
}

func TestLimitAndDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(1, 0)
		var q Queue
		release := make(chan struct{})
		ran := 0
		r.Go(&q, 2, func() { <-release })
		synctest.Wait() // the first job runs, and does not count as waiting
		for i, want := range []bool{true, true, false} {
			if got := r.Go(&q, 2, func() { ran++ }); got != want {
				t.Fatalf("job %d: taken %v, want %v", i, got, want)
			}
		}
		if n := r.Waiting(&q); n != 2 {
			t.Errorf("%d wait, want 2", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := r.Wait(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Wait: %v", err)
		}
		r.Drop(&q)
		close(release)
		if err := r.Wait(t.Context()); err != nil || ran != 0 {
			t.Errorf("Wait: %v, and %d dropped jobs ran", err, ran)
		}
		r.Go(&q, 2, func() { ran++ })
		if err := r.Wait(t.Context()); err != nil || ran != 1 {
			t.Errorf("a queue does not work after Drop: %v, %d", err, ran)
		}
	})
}

// A job that ends its goroutine, as a test's FailNow does, ends that alone.
func TestGoexit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := New(1, 0)
		var a, b Queue
		ran := 0
		r.Go(&a, 0, runtime.Goexit)
		r.Go(&a, 0, func() { ran++ })
		r.Go(&b, 0, func() { ran++ })
		if err := r.Wait(t.Context()); err != nil || ran != 2 {
			t.Errorf("Wait: %v, and %d jobs ran", err, ran)
		}
	})
}
