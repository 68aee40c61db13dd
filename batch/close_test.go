package batch_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

func TestCloseDrains(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { time.Sleep(10 * ms); return nil }
		b := batch.New(s.flush, batch.Options{MaxItems: 2}, s.hooks())
		add(t, b, 1, 2, 3, 4, 5)
		mustClose(t, b)
		s.want(t, "0:[1 2]", "10:[3 4]", "20:[5]")
		mustClose(t, b) // again: nothing left to wait for
		if got := b.Stats(); got.Processed != 5 || got.Keys != 0 {
			t.Errorf("Stats = %+v", got)
		}
	})
}

func TestCloseOfAnIdleBatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(newSink().flush, batch.Options{Leading: true})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Close(over); err != nil {
			t.Errorf("Close with nothing held: %v", err)
		}
	})
}

func TestCloseWaitsForRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(_ context.Context, n int, _ []int) error {
			if n == 1 {
				return errors.New("down")
			}
			return nil
		}
		b := batch.New(s.flush, batch.Options{MaxItems: 1}, s.hooks())
		add(t, b, 1, 2)
		mustClose(t, b)
		s.wantLost(t)
		if got := b.Stats(); got.Processed != 2 || got.Retries != 1 {
			t.Errorf("Stats = %+v", got)
		}
	})
}

func TestCloseEndsWaitingAdds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { time.Sleep(time.Second); return nil }
		b := batch.New(s.flush, batch.Options{MaxItems: 1, MaxPending: 1})
		add(t, b, 1)
		refused := make(chan error, 1)
		go func() { refused <- b.Add(t.Context(), 2) }()
		synctest.Wait()
		go mustClose(t, b)
		synctest.Wait()
		select {
		case err := <-refused:
			if err != batch.ErrClosed {
				t.Errorf("waiting Add: %v, want ErrClosed", err)
			}
		default:
			t.Error("a waiting Add went on waiting after Close")
		}
		time.Sleep(2 * time.Second)
		s.want(t, "0:[1]")
	})
}

// A flush that hangs, politely: its items and all that waits behind it are given to OnError before Close returns.
func TestCloseRunsOutOfTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(ctx context.Context, _ int, _ []int) error { <-ctx.Done(); return ctx.Err() }
		b := batch.New(s.flush, batch.Options{MaxItems: 2, Timeout: -1}, s.hooks())
		add(t, b, 1, 2, 3, 4, 5)
		synctest.Wait()
		err := closeIn(t, b, 2*time.Second)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, batch.ErrClosed) {
			t.Errorf("Close: %v", err)
		}
		if got := b.Stats(); got.Failed != 5 || got.Queued != 0 || got.Keys != 0 {
			t.Errorf("when Close returned: %+v", got)
		}
		if got := len(s.lost); got != 3 {
			t.Errorf("given up: %q", s.lost)
		}
		if got := time.Since(s.start); got > 2*time.Second {
			t.Errorf("Close returned after %v", got)
		}
	})
}

// A flush that ignores its context: Close returns in time all the same, and the item ends when the flush does.
func TestCloseLeavesADeafFlushBehind(t *testing.T) {
	for _, result := range []error{nil, errors.New("down")} {
		synctest.Test(t, func(t *testing.T) {
			s := newSink()
			s.do = func(context.Context, int, []int) error { time.Sleep(time.Minute); return result }
			b := batch.New(s.flush, batch.Options{MaxItems: 1}, s.hooks())
			add(t, b, 1, 2)
			synctest.Wait()
			if err := closeIn(t, b, 2*time.Second); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Close: %v", err)
			}
			if got := time.Since(s.start); got != 2*time.Second {
				t.Errorf("Close returned after %v, want 2s", got)
			}
			s.wantLost(t, "1900:[2]")
			if !errors.Is(s.last, batch.ErrClosed) || !errors.Is(s.last, context.DeadlineExceeded) {
				t.Errorf("error of what waited: %v", s.last)
			}
			if got := b.Stats(); got.Queued != 1 || got.Failed != 1 {
				t.Errorf("Stats = %+v", got)
			}
			if err := closeIn(t, b, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("second Close: %v, want the outcome of the first", err)
			}
			if got := b.Stats(); got.Queued != 0 || got.Failed+got.Processed != 2 || got.Retries != 0 {
				t.Errorf("Stats at the end = %+v", got)
			}
		})
	}
}

// A batch that waits for its retry when time is up goes whole, and its error tells of both.
func TestCloseGivesUpABatchBetweenTries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		down := errors.New("down")
		s := newSink()
		s.do = func(context.Context, int, []int) error { return down }
		b := batch.New(s.flush, batch.Options{MaxItems: 2, Backoff: time.Hour, MaxBackoff: -1}, s.hooks())
		add(t, b, 1, 2, 3, 4, 5)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { time.Sleep(time.Second); cancel() }()
		if err := b.Close(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("Close: %v", err)
		}
		s.want(t, "0:[1 2]")
		s.wantLost(t, "1000:[1 2]", "1000:[3 4]", "1000:[5]")
		if got := b.Stats(); got.Failed != 5 || got.Flushes != 1 {
			t.Errorf("Stats = %+v", got)
		}
	})
}
