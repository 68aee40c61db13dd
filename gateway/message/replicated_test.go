package message

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// logStore is a primary: it knows when it did each Append.
type logStore struct {
	*slowStore
	mu  sync.Mutex
	log []logged
}

type logged struct {
	at time.Time
	m  Message
}

func (s *logStore) Append(ctx context.Context, channel string, batch []Message) error {
	return s.call(ctx, func() error {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, m := range batch {
			s.log = append(s.log, logged{time.Now(), m})
		}
		return s.MemoryStore.Append(ctx, channel, batch)
	})
}

// newest is the highest id in a channel that was there at a time.
func (s *logStore) newest(channel string, at time.Time) (id ID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.log {
		if l.m.Channel == channel && !l.at.After(at) {
			id = max(id, l.m.ID)
		}
	}
	return id
}

// copyStore is a replica that has what its primary had behind ago. It tells the truth about its lag,
// if a bit late; when it is dead it says so, and when it hangs nothing.
type copyStore struct {
	*slowStore // for its way
	of         *logStore

	behind     atomic.Int64
	dead, hung atomic.Bool
	lags       atomic.Int64

	mu   sync.Mutex
	asOf time.Time
}

// advance returns what the copy has: it does not go back.
func (s *copyStore) advance() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := time.Now().Add(-time.Duration(s.behind.Load())); at.After(s.asOf) {
		s.asOf = at
	}
	return s.asOf
}

func (s *copyStore) ask(ctx context.Context, do func()) error {
	if s.hung.Load() {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.call(ctx, func() error {
		if s.dead.Load() {
			return errLost
		}
		do()
		return nil
	})
}

func (s *copyStore) Lag(ctx context.Context) (lag time.Duration, err error) {
	s.lags.Add(1)
	err = s.ask(ctx, func() { lag = time.Since(s.advance()) })
	return lag, err
}

func (s *copyStore) Page(ctx context.Context, channel string, q Query) (page []Message, err error) {
	s.reads.Add(1)
	err = s.ask(ctx, func() {
		if id := s.of.newest(channel, s.advance()); id > 0 {
			page, err = s.of.MemoryStore.Page(ctx, channel, q)
			for i, m := range page {
				if m.ID > id {
					page = page[:i]
					break
				}
			}
		}
	})
	return page, err
}

func newReplicatedTest(seed uint64, n int) (*logStore, []*copyStore, []Replica) {
	primary := &logStore{slowStore: newSlowStore(seed, 2*time.Millisecond)}
	var copies []*copyStore
	var replicas []Replica
	for i := range n {
		c := &copyStore{slowStore: newSlowStore(seed+100+uint64(i), 10*time.Millisecond), of: primary}
		copies, replicas = append(copies, c), append(replicas, c)
	}
	return primary, copies, replicas
}

// newestOf is the highest id of a page that a Replicated returns.
func newestOf(t *testing.T, r Store, ctx context.Context, channel string) ID {
	t.Helper()
	page, err := r.Page(ctx, channel, Query{Limit: MaxPage})
	if err != nil {
		t.Errorf("channel %s: %v", channel, err)
	}
	if len(page) == 0 {
		return 0
	}
	return page[len(page)-1].ID
}

// Replicas fall back, die, hang and return, while two processes write. No page is staler than asked,
// and each process finds what it wrote.
func TestReplicatedIsNeverTooStale(t *testing.T) {
	pages, failures := uint64(0), uint64(0)
	for seed := range uint64(5) {
		synctest.Test(t, func(t *testing.T) {
			primary, copies, replicas := newReplicatedTest(seed, 3)
			r := NewReplicated(primary, ReplicatedOptions{MaxChannels: 8, Timeout: 100 * time.Millisecond, Backoff: 100 * time.Millisecond}, replicas...)
			var own [8]atomic.Uint64 // the newest that was written here, by channel
			var ids atomic.Uint64
			stop := make(chan struct{})
			var all sync.WaitGroup
			again := func(r *rand.Rand, most time.Duration, do func()) {
				all.Go(func() {
					for {
						select {
						case <-stop:
							return
						case <-time.After(time.Duration(r.IntN(int(most)))):
							do()
						}
					}
				})
			}
			random := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, n)) }

			one := random(1)
			again(one, 40*time.Millisecond, func() { // writes here, and looks
				channel, id := one.IntN(8), ids.Add(1)
				name := fmt.Sprint(channel)
				if err := r.Append(t.Context(), name, []Message{said(name, ID(id))}); err != nil {
					t.Error(err)
				}
				own[channel].Store(id)
			})
			two := random(2)
			again(two, 40*time.Millisecond, func() { // writes elsewhere, and tells sometimes
				channel, id := two.IntN(8), ids.Add(1)
				name := fmt.Sprint(channel)
				if err := primary.Append(t.Context(), name, []Message{said(name, ID(id))}); err != nil {
					t.Error(err)
				}
				if two.IntN(2) == 0 {
					r.Wrote(name)
					for was := own[channel].Load(); was < id && !own[channel].CompareAndSwap(was, id); was = own[channel].Load() {
					}
				}
			})
			for reader := range uint64(4) {
				rnd := random(10 + reader)
				again(rnd, 10*time.Millisecond, func() {
					channel := rnd.IntN(8)
					ctx, staleness := t.Context(), time.Second
					if rnd.IntN(2) == 0 {
						staleness = time.Duration(rnd.IntN(int(3 * time.Second)))
						if rnd.IntN(4) == 0 {
							staleness = 0
						}
						ctx = WithStaleness(ctx, staleness)
					}
					name, began, wrote := fmt.Sprint(channel), time.Now(), ID(own[channel].Load())
					got := newestOf(t, r, ctx, name)
					if need := max(wrote, primary.newest(name, began.Add(-staleness))); got < need {
						t.Errorf("seed %d: channel %s: %d, and %d was written here, %d by %v ago", seed, name, got, wrote, need, staleness)
					}
				})
			}
			fate := random(3)
			again(fate, 200*time.Millisecond, func() {
				c := copies[fate.IntN(3)]
				switch fate.IntN(4) {
				case 0:
					c.dead.Store(fate.IntN(3) == 0)
				case 1:
					c.hung.Store(fate.IntN(3) == 0)
				default:
					c.behind.Store(int64(fate.IntN(int([]time.Duration{time.Millisecond, time.Second, 5 * time.Second}[fate.IntN(3)]))))
				}
			})
			time.Sleep(10 * time.Second)
			close(stop)
			all.Wait()
			for _, of := range r.Stats().Replicas {
				pages, failures = pages+of.Pages, failures+of.Failures
			}
		})
	}
	if pages < 1000 || failures < 20 || failures > 1000 {
		t.Errorf("replicas answered %d times and failed %d", pages, failures)
	}
}

func TestReplicatedReadsFromReplicas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary, copies, replicas := newReplicatedTest(1, 2)
		r := NewReplicated(primary, ReplicatedOptions{}, replicas...)
		copies[0].behind.Store(int64(50 * time.Millisecond))
		copies[1].behind.Store(int64(50 * time.Millisecond))
		fill(t, r, "a", 10)
		read := func(times int) ReplicatedStats {
			t.Helper()
			before := r.Stats()
			for range times {
				if id := newestOf(t, r, t.Context(), "a"); id != 10 {
					t.Error(id)
				}
				time.Sleep(time.Millisecond)
			}
			after := r.Stats()
			after.Primary -= before.Primary
			for i := range after.Replicas {
				after.Replicas[i].Pages -= before.Replicas[i].Pages
				after.Replicas[i].Failures -= before.Replicas[i].Failures
			}
			return after
		}
		if s := read(10); s.Primary != 10 || copies[0].lags.Load() != 1 || copies[1].lags.Load() != 1 {
			t.Errorf("what has just been written: %+v, asked %d and %d times", s, copies[0].lags.Load(), copies[1].lags.Load())
		}
		time.Sleep(time.Second)
		lags := copies[0].lags.Load() + copies[1].lags.Load()
		if s := read(1000); s.Primary != 0 || s.Replicas[0].Pages < 400 || s.Replicas[1].Pages < 400 {
			t.Errorf("both are fresh: %+v", s)
		}
		if lags = copies[0].lags.Load() + copies[1].lags.Load() - lags; lags > 30 { // in some 11 s
			t.Errorf("asked for their lag %d times", lags)
		}

		// One dies: it costs a few tries, and none is told.
		copies[0].dead.Store(true)
		if s := read(1000); s.Primary > 50 || s.Replicas[0].Failures > 5 || s.Replicas[0].Pages > 0 {
			t.Errorf("one is dead: %+v", s)
		}
		if s := r.Stats(); !s.Replicas[0].Out || s.Replicas[1].Out {
			t.Errorf("%+v", s)
		}
		time.Sleep(5 * time.Minute)
		if s := read(1000); s.Replicas[0].Failures > 1 {
			t.Errorf("one is dead for long: %+v", s)
		}
		copies[0].dead.Store(false)
		time.Sleep(longestBackoff)
		if s := read(1000); s.Replicas[0].Pages < 400 {
			t.Errorf("it has returned: %+v", s)
		}

		// Both hang: who has little time gets a page from the primary all the same.
		copies[0].hung.Store(true)
		copies[1].hung.Store(true)
		for range 10 {
			short, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
			if id := newestOf(t, r, short, "a"); id != 10 {
				t.Error(id)
			}
			cancel()
		}
		if s := r.Stats(); !s.Replicas[0].Out || !s.Replicas[1].Out {
			t.Errorf("both hang: %+v", s)
		}
	})
}

// A caller who leaves is no failure of the replica.
func TestReplicatedCallerLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary, copies, replicas := newReplicatedTest(1, 1)
		r := NewReplicated(primary, ReplicatedOptions{}, replicas...)
		time.Sleep(time.Second)
		newestOf(t, r, t.Context(), "a")
		copies[0].hung.Store(true)
		for range 10 {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(10*time.Millisecond, cancel)
			if _, err := r.Page(ctx, "a", Query{Limit: 1}); !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		}
		if s := r.Stats(); s.Replicas[0].Failures > 0 {
			t.Errorf("%+v", s)
		}
		if _, err := r.Page(t.Context(), "a", Query{}); !errors.Is(err, ErrQuery) {
			t.Error(err)
		}
	})
}

// restored is a replica that comes back as an older copy, while somebody waits for its lag.
type restored struct {
	broken chan struct{}
	old    bool
}

func (s *restored) Page(context.Context, string, Query) ([]Message, error) {
	if s.old {
		return nil, nil
	}
	close(s.broken)
	s.old = true
	return nil, errLost
}

func (s *restored) Lag(ctx context.Context) (time.Duration, error) {
	if s.old {
		return time.Hour, nil
	}
	if s.broken == nil {
		s.broken = make(chan struct{})
		return 0, nil
	}
	<-s.broken
	return 0, nil
}

func TestReplicatedForgetsTheFreshnessOfTheDead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		primary := NewMemoryStore()
		r := NewReplicated(primary, ReplicatedOptions{}, &restored{})
		if !r.replicas[0].reaches(t.Context(), time.Now()) { // known to be fresh
			t.Fatal("not fresh")
		}
		time.Sleep(200 * time.Millisecond)
		go r.Page(WithStaleness(t.Context(), time.Millisecond), "a", Query{Limit: 1}) // asks for the lag
		synctest.Wait()
		r.Page(t.Context(), "a", Query{Limit: 1}) // finds it dead
		synctest.Wait()
		fill(t, primary, "a", 3)
		time.Sleep(time.Minute)
		if id := newestOf(t, r, WithStaleness(t.Context(), time.Minute+100*time.Millisecond), "a"); id != 3 {
			t.Errorf("%d of an older copy", id)
		}
	})
}

func TestWritten(t *testing.T) {
	w := written{most: 5}
	r := rand.New(rand.NewPCG(1, 1))
	truth := map[string]time.Time{}
	for i := range 2000 {
		channel, at := fmt.Sprint(r.IntN(40)), time.UnixMilli(int64(i))
		w.note(channel, at)
		truth[channel] = at
		for channel, at := range truth {
			if got := w.last(channel); got.Before(at) {
				t.Fatalf("%s: %v, was written to at %v", channel, got, at)
			}
		}
		if !w.last(channel).Equal(at) || len(w.young)+len(w.old) > 10 {
			t.Fatalf("%+v", &w)
		}
	}
}
