package pool

import (
	"errors"
	"math/rand/v2"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestBoundsAreExact: as many goroutines as there is room for come and go, each with one entry, while others fail in all
// ways: nobody of the first may ever be refused, and the bound is never passed.
func TestBoundsAreExact(t *testing.T) {
	const users, rounds = 6, 3000
	shared, free, jam := Label{"user", "7"}, Label{"tag", "free"}, Label{"tag", "jam"}
	p := New[int, int](Options{Max: users + 2, Limits: map[string]int{"user": users, "tag": 1}})
	for i, l := range []Label{jam, {"tag", "other"}} { // two that stay; the first jams its label
		if err := p.Add(-1-i, 0, l); err != nil {
			t.Fatal(err)
		}
	}
	var stop atomic.Bool
	var fail, work sync.WaitGroup
	fail.Go(func() {
		for !stop.Load() {
			if err := p.Add(-1, 0, shared); err != ErrDuplicate {
				t.Errorf("Add of a known key: %v", err)
			}
			if err := p.Add(-9, 0, shared, free, jam); !errors.Is(err, ErrLimit) {
				t.Errorf("Add above a limit: %v", err)
			}
			if err := p.Attach(-2, shared, free, jam); !errors.Is(err, ErrLimit) {
				t.Errorf("Attach above a limit: %v", err)
			}
			if s := p.Stats(); s.Total > s.Max || s.Active+s.Idle != s.Total {
				t.Errorf("Stats = %+v", s)
			}
		}
	})
	for i := range users {
		work.Go(func() {
			for range rounds {
				if err := p.Add(i, i, shared); err != nil {
					t.Errorf("Add with room: %v", err)
				}
				if i == 0 {
					if err := p.Attach(i, free); err != nil {
						t.Errorf("Attach with room: %v", err)
					}
				}
				if _, ok := p.Remove(i); !ok {
					t.Error("Remove did not find its entry")
				}
			}
		})
	}
	work.Wait()
	stop.Store(true)
	fail.Wait()
	consistent(t, p)
}

// TestNeverAboveMax: more come than there is room for. The count may not be above the bound even for a moment, or it
// would refuse others who come just then.
func TestNeverAboveMax(t *testing.T) {
	const most = 5
	p := New[int, int](Options{Max: most})
	var inside atomic.Int64
	var stop atomic.Bool
	var watch, wg sync.WaitGroup
	watch.Go(func() {
		for !stop.Load() {
			if n := p.total.Load(); n > most {
				t.Errorf("total is %d", n)
				return
			}
		}
	})
	for i := range 10 {
		wg.Go(func() {
			for range 5000 {
				if err := p.Add(i, i); err != nil {
					if err != ErrFull {
						t.Error(err)
					}
					continue
				}
				if n := inside.Add(1); n > most {
					t.Errorf("%d inside", n)
				}
				runtime.Gosched()
				inside.Add(-1)
				p.Remove(i)
			}
		})
	}
	wg.Wait()
	stop.Store(true)
	watch.Wait()
	consistent(t, p)
}

// TestAFailedAddRefusesNobody: one goroutine gives up the last place and takes it again, while another tries to get in.
// If the first is refused, the other must have got in meanwhile.
func TestAFailedAddRefusesNobody(t *testing.T) {
	p := New[int, int](Options{Max: 1})
	if err := p.Add(0, 0); err != nil {
		t.Fatal(err)
	}
	begin, end := make(chan struct{}), make(chan bool)
	go func() {
		for range begin {
			got := false
			for range 30 {
				if p.Add(1, 1) == nil {
					got = true
					p.Remove(1)
				}
			}
			end <- got
		}
		close(end)
	}()
	for range 5000 {
		begin <- struct{}{}
		refused := false
		for range 15 {
			p.Remove(0)
			if p.Add(0, 0) != nil {
				refused = true
				break
			}
		}
		if got := <-end; refused {
			if !got {
				t.Error("refused, but nobody else got in")
			}
			if err := p.Add(0, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	close(begin)
	<-end
}

// TestLabelsInAnyOrder would lock up if the order of the labels were that of the locks.
func TestLabelsInAnyOrder(t *testing.T) {
	p := New[int, int](Options{})
	labels := [][]Label{{{"a", "1"}, {"b", "2"}, {"c", "3"}}, {{"c", "3"}, {"b", "2"}, {"a", "1"}}}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 20_000 {
				_ = p.Add(i, i, labels[i%2]...)
				p.Remove(i)
			}
		})
	}
	wg.Wait()
	consistent(t, p)
}

// many makes a change of an entry with them last long enough to be met in the middle.
func many(l Label) []Label {
	labels := []Label{l}
	for i := range 200 {
		labels = append(labels, Label{"tag", strconv.Itoa(i)})
	}
	return labels
}

// TestRemoveIsOneMoment: who sees that a key is gone finds its place and its labels free.
func TestRemoveIsOneMoment(t *testing.T) {
	l := Label{"user", "7"}
	labels := many(l)
	p := New[int, int](Options{Max: 1, Limits: map[string]int{"user": 1}})
	added := make(chan int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range added {
			for {
				if _, ok := p.Get(i); !ok {
					break
				}
			}
			if err := p.Add(i+1, 0, []Label{l}[:i/2%2]...); err != nil {
				t.Errorf("Add after the key was gone: %v", err)
			}
			p.Remove(i + 1)
			done <- struct{}{}
		}
	}()
	for i := range 1000 {
		if err := p.Add(2*i, 0, labels...); err != nil {
			t.Fatal(err)
		}
		added <- 2 * i
		p.Remove(2 * i)
		<-done
	}
	close(added)
	<-done
}

// TestAddIsOneMoment: who is refused because of an entry finds it.
func TestAddIsOneMoment(t *testing.T) {
	labels := many(Label{"user", "7"})
	p := New[int, int](Options{Max: 1})
	add := make(chan int)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for i := range add {
			if err := p.Add(i, 0, labels...); err != nil {
				t.Errorf("Add with room: %v", err)
			}
			done <- struct{}{}
		}
	}()
	for i := 1; i <= 500; i++ {
		add <- i
		for p.total.Load() == 0 { // not to take the room itself
			runtime.Gosched()
		}
		if err := p.Add(0, 0); err != ErrFull {
			t.Errorf("Add without room: %v", err)
		}
		if _, ok := p.Get(i); !ok {
			t.Errorf("no room, and nobody who has taken it")
		}
		<-done
		p.Remove(i)
	}
	close(add)
	<-done
}

// TestStress calls everything from everywhere; the race detector and the books at the end are the judges.
func TestStress(t *testing.T) {
	var now atomic.Int64
	p := New[int, int](Options{
		Max: 100, IdleAfter: 80, Limits: map[string]int{"user": 20},
		Now: func() time.Time { return time.Unix(0, now.Load()) },
	})
	labels := []Label{{"user", "a"}, {"user", "b"}, {"tag", "c"}}
	var added, removed atomic.Int64
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 3))
			for i := range 4000 {
				key, l := r.IntN(150), labels[r.IntN(3)]
				switch r.IntN(12) {
				case 0, 1, 2:
					if p.Add(key, i, l) == nil {
						added.Add(1)
					}
				case 3:
					if _, ok := p.Remove(key); ok {
						removed.Add(1)
					}
				case 4:
					_ = p.Attach(key, labels...)
				case 5:
					p.Detach(key, l)
				case 6, 7:
					p.Touch(key)
				case 8:
					now.Add(3)
				case 9:
					for range p.With(l) {
					}
					_ = p.Count(l)
				case 10:
					if i%8 == 0 {
						for range p.EvictIdle() {
							removed.Add(1)
						}
					}
				case 11:
					seen := map[int]bool{}
					for key := range p.All() {
						if seen[key] {
							t.Errorf("%d came twice", key)
						}
						seen[key] = true
					}
					_ = p.Stats()
				}
			}
		})
	}
	wg.Wait()
	if got, want := int64(p.Stats().Total), added.Load()-removed.Load(); got != want {
		t.Errorf("Total = %d, want %d", got, want)
	}
	consistent(t, p)
}
