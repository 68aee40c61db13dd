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

// journal records the flushes of a Keyed, as "time in ms: key items".
type journal struct {
	mu    sync.Mutex
	start time.Time
	lines []string
}

func (j *journal) note(key string, items []int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.lines = append(j.lines, fmt.Sprintf("%d:%s%v", time.Since(j.start)/ms, key, items))
}

func (j *journal) want(t *testing.T, lines ...string) {
	t.Helper()
	synctest.Wait()
	j.mu.Lock()
	defer j.mu.Unlock()
	if !slices.Equal(j.lines, lines) {
		t.Errorf("flushes:\n got %q\nwant %q", j.lines, lines)
	}
}

func put(t *testing.T, k *batch.Keyed[string, int], key string, items ...int) {
	t.Helper()
	for _, i := range items {
		if err := k.Add(t.Context(), key, i); err != nil {
			t.Fatal(err)
		}
	}
	synctest.Wait()
}

func TestKeysHaveBatchesOfTheirOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{start: time.Now()}
		k := batch.NewKeyed(func(_ context.Context, key string, items []int) error {
			j.note(key, items)
			return nil
		}, batch.Options{MaxItems: 2})
		put(t, k, "a", 1)
		time.Sleep(50 * ms)
		put(t, k, "b", 2)
		put(t, k, "a", 3)
		time.Sleep(ms) // two timers of one instant fire in any order
		put(t, k, "c", 4)
		time.Sleep(time.Second)
		j.want(t, "50:a[1 3]", "150:b[2]", "151:c[4]")
		if got := k.Stats().Keys; got != 0 {
			t.Errorf("%d idle keys are remembered", got)
		}
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestConcurrencyIsBoundedAndKeysTakeTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{start: time.Now()}
		k := batch.NewKeyed(func(_ context.Context, key string, items []int) error {
			j.note(key, items)
			time.Sleep(10 * ms)
			return nil
		}, batch.Options{MaxItems: 1, Concurrency: 2})
		put(t, k, "a", 1, 2, 3) // a busy key does not keep the others from their turn
		put(t, k, "b", 4)
		put(t, k, "c", 5)
		time.Sleep(time.Second)
		synctest.Wait()
		slices.SortStableFunc(j.lines, func(a, b string) int { return strings.Compare(a, b) })
		j.want(t, "0:a[1]", "0:b[4]", "10:a[2]", "10:c[5]", "20:a[3]")
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestAKeyBetweenTriesHoldsUpNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{start: time.Now()}
		k := batch.NewKeyed(func(_ context.Context, key string, items []int) error {
			j.note(key, items)
			if key == "bad" && time.Since(j.start) < time.Second {
				return errors.New("down")
			}
			return nil
		}, batch.Options{MaxItems: 1, Concurrency: 1, Backoff: 2 * time.Second})
		put(t, k, "bad", 1, 2)
		put(t, k, "good", 3)
		j.want(t, "0:bad[1]", "0:good[3]")
		time.Sleep(5 * time.Second)
		synctest.Wait()
		if got := len(j.lines); got != 4 || !strings.HasSuffix(j.lines[2], "bad[1]") || !strings.HasSuffix(j.lines[3], "bad[2]") {
			t.Errorf("flushes: %q", j.lines)
		}
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// The one timer is set for a retry in half an hour or more, and still serves a delay that ends before.
func TestAShortAlarmBehindALongOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{start: time.Now()}
		k := batch.NewKeyed(func(_ context.Context, key string, items []int) error {
			j.note(key, items)
			if key == "bad" && time.Since(j.start) < time.Second {
				return errors.New("down")
			}
			return nil
		}, batch.Options{MaxItems: 2, Backoff: time.Hour, MaxBackoff: -1})
		put(t, k, "bad", 1, 2)
		time.Sleep(200 * ms) // the window that 1 opened is over, too
		put(t, k, "good", 3)
		time.Sleep(101 * ms)
		j.want(t, "0:bad[1 2]", "300:good[3]")
		if err := k.Close(t.Context()); err != nil { // waits for the retry
			t.Error(err)
		}
		if got := time.Since(j.start); got < 30*time.Minute || got > time.Hour {
			t.Errorf("the retry came after %v", got)
		}
	})
}

func TestALeadingKeyIsForgottenAfterItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := &journal{start: time.Now()}
		k := batch.NewKeyed(func(_ context.Context, key string, items []int) error {
			j.note(key, items)
			return nil
		}, batch.Options{Leading: true})
		put(t, k, "a", 1)
		if got := k.Stats().Keys; got != 1 {
			t.Errorf("Keys = %d within the window, want 1", got)
		}
		time.Sleep(101 * ms)
		synctest.Wait()
		if got := k.Stats().Keys; got != 0 {
			t.Errorf("Keys = %d after the window, want 0", got)
		}
		put(t, k, "a", 2)
		j.want(t, "0:a[1]", "101:a[2]")
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// goroutines counts those that are in the package, or were started by it. (runtime.NumGoroutine would also count one that
// has ended but is not yet put away.)
func goroutines() int {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	n := 0
	for stack := range strings.SplitSeq(string(all), "\n\n") {
		if strings.Contains(stack, "batch.(*Keyed[") {
			n++
		}
	}
	return n
}

// Idle and merely waiting keys have no goroutine: there is none at all between flushes.
func TestNoGoroutines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		before := goroutines()
		flushing := 0
		k := batch.NewKeyed(func(context.Context, string, []int) error {
			flushing = max(flushing, goroutines()-before)
			return nil
		}, batch.Options{Concurrency: 1})
		for i := range 100 {
			put(t, k, fmt.Sprint(i), i)
		}
		if got := goroutines(); got > before {
			t.Errorf("%d goroutines for 100 waiting keys, %d before", got, before)
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if s, got := k.Stats(), goroutines(); s.Keys != 0 || s.Processed != 100 || got > before {
			t.Errorf("idle: %+v, %d goroutines, %d before", s, got, before)
		}
		if flushing == 0 {
			t.Error("not even the flushes were counted")
		}
	})
}

func TestAnUnhashableKeyPanicsInItsCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := batch.NewKeyed(func(context.Context, any, []int) error { return nil }, batch.Options{MaxItems: 1, MaxPending: 1})
		attempt := func(f func()) {
			t.Helper()
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		}
		attempt(func() { _ = k.TryAdd([]int{1}, 1) })
		if err := k.TryAdd("fine", 1); err != nil { // not flushed yet: full
			t.Fatal(err)
		}
		attempt(func() { _ = k.Add(t.Context(), []int{1}, 1) })
		if err := k.Close(t.Context()); err != nil { // and no lock was left held
			t.Error(err)
		}
	})
}

func TestErrorsCarryTheKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []string
		k := batch.NewKeyed(func(context.Context, string, []int) error { return errors.New("down") },
			batch.Options{Retries: -1},
			batch.KeyedHooks[string, int]{OnError: func(key string, items []int, err error) {
				got = append(got, fmt.Sprint(key, items, err))
			}})
		put(t, k, "a", 1, 2)
		if err := k.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if !slices.Equal(got, []string{"a[1 2] down"}) {
			t.Errorf("got %q", got)
		}
	})
}
