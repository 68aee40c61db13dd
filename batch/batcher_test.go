package batch_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

const ms = time.Millisecond

// sink records the flushes of a batcher as "time in ms: items".
type sink struct {
	mu    sync.Mutex
	start time.Time
	got   []string
	lost  []string
	last  error
	// do, if not nil, is the body of flush number n (from 1).
	do    func(ctx context.Context, n int, items []int) error
	calls int
}

func newSink() *sink { return &sink{start: time.Now()} }

func (s *sink) flush(ctx context.Context, items []int) error {
	s.mu.Lock()
	s.calls++
	n := s.calls
	s.got = append(s.got, s.line(items))
	s.mu.Unlock()
	if s.do == nil {
		return nil
	}
	return s.do(ctx, n, items)
}

func (s *sink) line(items []int) string {
	return fmt.Sprintf("%d:%v", time.Since(s.start)/ms, items)
}

func (s *sink) hooks() batch.Hooks[int] {
	return batch.Hooks[int]{OnError: func(items []int, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.lost = append(s.lost, s.line(items))
		s.last = err
	}}
}

func (s *sink) want(t *testing.T, flushed ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.got, flushed) {
		t.Errorf("flushes:\n got %q\nwant %q", s.got, flushed)
	}
}

func (s *sink) wantLost(t *testing.T, lost ...string) {
	t.Helper()
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !slices.Equal(s.lost, lost) {
		t.Errorf("given up:\n got %q\nwant %q", s.lost, lost)
	}
}

func add(t *testing.T, b *batch.Batcher[int], items ...int) {
	t.Helper()
	for _, i := range items {
		if err := b.Add(t.Context(), i); err != nil {
			t.Errorf("Add(%d): %v", i, err)
		}
	}
}

func closeIn(t *testing.T, b *batch.Batcher[int], d time.Duration) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	return b.Close(ctx)
}

func mustClose(t *testing.T, b *batch.Batcher[int]) {
	t.Helper()
	if err := closeIn(t, b, time.Hour); err != nil {
		t.Errorf("Close: %v", err)
	}
}

// TestWhenABatchGoes is the table of the limits: each step waits, then adds items.
func TestWhenABatchGoes(t *testing.T) {
	type step struct {
		wait  time.Duration
		items []int
	}
	itself := func(i int) int { return i }
	tests := []struct {
		name  string
		o     batch.Options
		size  func(int) int
		slow  time.Duration // what each flush takes
		steps []step
		want  []string
	}{
		{"by count", batch.Options{MaxItems: 2}, nil, 0,
			[]step{{0, []int{1, 2, 3}}}, []string{"0:[1 2]", "100:[3]"}},
		{"by default delay", batch.Options{}, nil, 0,
			[]step{{0, []int{1}}, {60 * ms, []int{2}}, {60 * ms, []int{3}}}, []string{"100:[1 2]", "220:[3]"}},
		{"by bytes", batch.Options{MaxBytes: 10}, itself, 0,
			[]step{{0, []int{4, 6, 4, 9}}}, []string{"0:[4 6]", "0:[4]", "100:[9]"}},
		{"an item over the bytes goes alone", batch.Options{MaxBytes: 10}, itself, 0,
			[]step{{0, []int{3, 99, 4}}}, []string{"0:[3]", "0:[99]", "100:[4]"}},
		{"negative sizes count as nothing", batch.Options{MaxBytes: 10}, itself, 0,
			[]step{{0, []int{-5, 10}}}, []string{"0:[-5 10]"}},
		{"no delay", batch.Options{MaxDelay: -1}, nil, 10 * ms,
			[]step{{0, []int{1}}, {1, []int{2, 3}}, {20 * ms, []int{4}}}, []string{"0:[1]", "10:[2 3]", "20:[4]"}},
		{"leading", batch.Options{Leading: true}, nil, 0,
			[]step{{0, []int{1}}, {10 * ms, []int{2}}, {10 * ms, []int{3}}}, []string{"0:[1]", "100:[2 3]"}},
		{"leading again after a quiet delay", batch.Options{Leading: true}, nil, 0,
			[]step{{0, []int{1}}, {101 * ms, []int{2}}, {1 * ms, []int{3}}}, []string{"0:[1]", "101:[2]", "201:[3]"}},
		{"leading, flush longer than the delay", batch.Options{Leading: true}, nil, 150 * ms,
			[]step{{0, []int{1}}, {10 * ms, []int{2, 3}}}, []string{"0:[1]", "150:[2 3]"}},
		{"leading, full before the window ends", batch.Options{Leading: true, MaxItems: 2}, nil, 0,
			[]step{{0, []int{1}}, {10 * ms, []int{2, 3}}, {10 * ms, []int{4}}}, []string{"0:[1]", "10:[2 3]", "110:[4]"}},
		{"what is left keeps its age", batch.Options{MaxItems: 3}, nil, 50 * ms,
			[]step{{0, []int{1, 2, 3}}, {10 * ms, []int{4, 5, 6, 7}}}, []string{"0:[1 2 3]", "50:[4 5 6]", "110:[7]"}},
		{"no limit by count", batch.Options{MaxItems: -1}, nil, 0,
			[]step{{0, []int{1, 2, 3}}}, []string{"100:[1 2 3]"}},
		{"pending cuts the count", batch.Options{MaxItems: 5, MaxPending: 2}, nil, 0,
			[]step{{0, []int{1, 2}}}, []string{"0:[1 2]"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink()
				s.do = func(context.Context, int, []int) error { time.Sleep(tt.slow); return nil }
				h := s.hooks()
				h.Size = tt.size
				b := batch.New(s.flush, tt.o, h)
				for _, step := range tt.steps {
					time.Sleep(step.wait)
					for _, i := range step.items {
						add(t, b, i)
						synctest.Wait() // let what is due go before the next one comes
					}
				}
				time.Sleep(time.Second)
				s.want(t, tt.want...)
				mustClose(t, b)
			})
		})
	}
}

func TestTryAddIsFullExactlyAtMaxPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { time.Sleep(time.Second); return nil }
		b := batch.New(s.flush, batch.Options{MaxItems: 2, MaxPending: 3})
		for i := range 3 {
			if err := b.TryAdd(i); err != nil {
				t.Fatalf("TryAdd %d of 3: %v", i+1, err)
			}
		}
		synctest.Wait() // two are being flushed, and count
		if err := b.TryAdd(3); err != batch.ErrFull {
			t.Errorf("TryAdd above MaxPending: %v, want ErrFull", err)
		}
		time.Sleep(time.Second + 1)
		synctest.Wait()
		for i := range 2 {
			if err := b.TryAdd(i); err != nil {
				t.Errorf("TryAdd after the flush made room: %v", err)
			}
		}
		if err := b.TryAdd(3); err != batch.ErrFull {
			t.Errorf("TryAdd above MaxPending again: %v, want ErrFull", err)
		}
		mustClose(t, b)
		if err := b.TryAdd(1); err != batch.ErrClosed {
			t.Errorf("TryAdd after Close: %v, want ErrClosed", err)
		}
		if err := b.Add(t.Context(), 1); err != batch.ErrClosed {
			t.Errorf("Add after Close: %v, want ErrClosed", err)
		}
	})
}

func TestAddWaitsInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { time.Sleep(time.Second); return nil }
		b := batch.New(s.flush, batch.Options{MaxItems: 1, MaxPending: 1})
		add(t, b, 0)
		for i := 1; i <= 3; i++ {
			go add(t, b, i)
			synctest.Wait()
		}
		if got := b.Stats().Waiting; got != 3 {
			t.Errorf("Waiting = %d, want 3", got)
		}
		time.Sleep(5 * time.Second)
		s.want(t, "0:[0]", "1000:[1]", "2000:[2]", "3000:[3]")
		mustClose(t, b)
	})
}

func TestAddContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { time.Sleep(time.Second); return nil }
		b := batch.New(s.flush, batch.Options{MaxItems: 1, MaxPending: 1})
		over, cancel := context.WithCancel(t.Context())
		cancel()
		if err := b.Add(over, 9); err != context.Canceled {
			t.Errorf("Add with a ctx that is over: %v", err)
		}
		add(t, b, 1)
		short, cancel := context.WithTimeout(t.Context(), 100*ms)
		defer cancel()
		if err := b.Add(short, 2); err != context.DeadlineExceeded {
			t.Errorf("Add while full: %v, want the error of ctx", err)
		}
		if got := time.Since(s.start); got != 100*ms {
			t.Errorf("Add returned after %v, want 100ms", got)
		}
		if got := b.Stats().Waiting; got != 0 {
			t.Errorf("Waiting = %d after ctx was over", got)
		}
		go add(t, b, 3) // takes the place that 2 gave up
		time.Sleep(3 * time.Second)
		s.want(t, "0:[1]", "1000:[3]")
		mustClose(t, b)
	})
}

func TestRetryThenSuccess(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(_ context.Context, n int, items []int) error {
			clear(items) // a flush may spoil its slice: the retry has the items as they were
			if n < 3 {
				return errors.New("down")
			}
			return nil
		}
		b := batch.New(s.flush, batch.Options{MaxItems: 2, Backoff: 1000 * ms}, s.hooks())
		add(t, b, 1, 2, 3)
		time.Sleep(10 * time.Second)
		synctest.Wait()
		if len(s.got) != 4 || len(s.lost) != 0 {
			t.Fatalf("flushes %q, given up %q", s.got, s.lost)
		}
		for i, want := range []string{"[1 2]", "[1 2]", "[1 2]", "[3]"} {
			if !strings.HasSuffix(s.got[i], want) {
				t.Errorf("flush %d: %s, want %s", i+1, s.got[i], want)
			}
		}
		got := b.Stats()
		want := batch.Stats{Processed: 3, Flushes: 2, Retries: 2}
		want.Sizes[0], want.Sizes[1] = 1, 1
		if got != want {
			t.Errorf("Stats = %+v, want %+v", got, want)
		}
		mustClose(t, b)
	})
}

func TestBatchIsGivenUpWhole(t *testing.T) {
	down := errors.New("down")
	tests := []struct {
		name  string
		fail  func() error
		check func(error) bool
	}{
		{"error", func() error { return down }, func(err error) bool { return err == down }},
		{"panic", func() error { panic("boom") }, func(err error) bool {
			p, ok := errors.AsType[*batch.PanicError](err)
			return ok && p.Value == "boom" && len(p.Stack) > 0
		}},
		{"panic with an error", func() error { panic(down) }, func(err error) bool { return errors.Is(err, down) }},
		{"goroutine ended", func() error { runtime.Goexit(); return nil }, func(err error) bool { return err != nil }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSink()
				s.do = func(_ context.Context, n int, items []int) error {
					if n <= 3 {
						items[0] = -1
						return tt.fail()
					}
					return nil
				}
				b := batch.New(s.flush, batch.Options{MaxItems: 2, Retries: 2, Backoff: -1}, s.hooks())
				add(t, b, 1, 2, 3)
				time.Sleep(time.Second)
				s.want(t, "0:[1 2]", "0:[1 2]", "0:[1 2]", "100:[3]")
				s.wantLost(t, "0:[1 2]")
				if !tt.check(s.last) {
					t.Errorf("error %v", s.last)
				}
				if got := b.Stats(); got.Processed != 1 || got.Failed != 2 || got.Queued != 0 {
					t.Errorf("Stats = %+v", got)
				}
				mustClose(t, b)
			})
		})
	}
}

func TestNoRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(context.Context, int, []int) error { return errors.New("down") }
		b := batch.New(s.flush, batch.Options{MaxItems: 1, Retries: -1}, s.hooks())
		add(t, b, 1)
		s.want(t, "0:[1]")
		s.wantLost(t, "0:[1]")
		mustClose(t, b)
	})
}

func TestTimeoutEndsTheContextOfOneTry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSink()
		s.do = func(ctx context.Context, n int, _ []int) error {
			if n == 1 {
				<-ctx.Done()
			}
			return ctx.Err()
		}
		b := batch.New(s.flush, batch.Options{MaxItems: 1, Timeout: 70 * ms, Backoff: -1}, s.hooks())
		add(t, b, 1)
		time.Sleep(time.Second)
		s.want(t, "0:[1]", "70:[1]")
		s.wantLost(t)
		mustClose(t, b)
	})
}

func TestOnErrorOwnsItsSlice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var kept [][]int
		b := batch.New(func(context.Context, []int) error { return errors.New("down") },
			batch.Options{MaxItems: 2, Retries: -1},
			batch.Hooks[int]{OnError: func(items []int, _ error) { kept = append(kept, items) }})
		add(t, b, 1, 2)
		synctest.Wait()
		add(t, b, 3, 4)
		mustClose(t, b)
		if !slices.Equal(kept[0], []int{1, 2}) || !slices.Equal(kept[1], []int{3, 4}) {
			t.Errorf("kept %v", kept)
		}
	})
}

func TestMisusePanics(t *testing.T) {
	flush := func(context.Context, []int) error { return nil }
	tests := map[string]func(){
		"nil flush":        func() { batch.New[int](nil, batch.Options{}) },
		"nil keyed flush":  func() { batch.NewKeyed[int, int](nil, batch.Options{}) },
		"bytes, no size":   func() { batch.New(flush, batch.Options{MaxBytes: 1}) },
		"two sets of hook": func() { batch.New(flush, batch.Options{}, batch.Hooks[int]{}, batch.Hooks[int]{}) },
	}
	for name, f := range tests {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if text, _ := recover().(string); !strings.HasPrefix(text, "batch: ") {
					t.Errorf("panic text %q", text)
				}
			}()
			f()
		})
	}
}

// A batch reuses all that the one before it needed: its queue, its items' room, the timer and the slice for flush. Only
// Options.Timeout would cost a context for each.
func TestAddAllocatesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := batch.New(func(context.Context, []*int) error { return nil }, batch.Options{Timeout: -1})
		ctx, item := t.Context(), new(int)
		const items, runs = 100, 50
		n := testing.AllocsPerRun(runs, func() {
			for range items {
				if err := b.Add(ctx, item); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		})
		if s := b.Stats(); n != 0 || s.Flushes != runs+1 || s.Processed != items*(runs+1) {
			t.Errorf("%v allocations for %d items and their flush, %+v", n, items, s)
		}
		if err := b.Close(ctx); err != nil {
			t.Fatal(err)
		}
	})
}
