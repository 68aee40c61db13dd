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

func fill(t *testing.T, s Store, channel string, n int) (all []Message) {
	t.Helper()
	for id := range n {
		all = append(all, said(channel, ID(id+1)))
	}
	if err := s.Append(t.Context(), channel, all); err != nil {
		t.Fatal(err)
	}
	return all
}

func TestCacheAsksOnceForAThousand(t *testing.T) {
	for _, q := range []Query{{Limit: 50}, {Limit: 50, Before: 400}, {Limit: MaxPage}} {
		t.Run(fmt.Sprintf("%+v", q), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := newSlowStore(1, 10*time.Millisecond)
				all := fill(t, store, "hot", 500)
				c := NewCache(store, CacheOptions{MaxAge: time.Hour})
				defer c.Close()
				atOnce := func(check func()) (reads int64) {
					before := store.reads.Load()
					var readers sync.WaitGroup
					for range 1000 {
						readers.Go(check)
					}
					synctest.Wait()
					if err := c.Edit(t.Context(), said("hot", 1000)); !errors.Is(err, ErrNotFound) {
						t.Error(err)
					}
					readers.Wait()
					return store.reads.Load() - before
				}
				check := func() { checkPage(t, c, "hot", q, q.Of(all)) }
				if reads := atOnce(check); reads > 2 {
					t.Errorf("%d reads, with a write in the middle", reads)
				}
				check()
				if reads := atOnce(check); reads > 0 {
					t.Errorf("%d reads of what is known", reads)
				}
			})
		})
	}
}

// Readers of one page come one after the other while the channel is written to all the time: a read
// that had writes beside it is good enough to be kept.
func TestCacheAsksOnceWhileItIsWrittenTo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore(1, 5*time.Millisecond)
		fill(t, store, "hot", 500)
		c := NewCache(store, CacheOptions{MaxAge: time.Hour})
		defer c.Close()
		var all sync.WaitGroup
		var over atomic.Bool
		all.Go(func() {
			for id := ID(501); !over.Load(); id++ {
				if err := c.Append(t.Context(), "hot", []Message{said("hot", id)}); err != nil {
					t.Error(err)
				}
			}
		})
		time.Sleep(20 * time.Millisecond)
		for range 1000 {
			all.Go(func() {
				if page, err := c.Page(t.Context(), "hot", Query{Limit: 50}); err != nil || len(page) != 50 || page[49].ID-page[0].ID != 49 {
					t.Error(brief(page), err)
				}
			})
			time.Sleep(100 * time.Microsecond)
		}
		over.Store(true)
		all.Wait()
		if n := store.reads.Load(); n > 2 {
			t.Errorf("%d reads", n)
		}
		checkPage(t, c, "hot", Query{Limit: 50}, Query{Limit: 50}.Of(store.channels["hot"]))
	})
}

// One writes to each channel and looks at once; others read all the while. Every page is what the
// channel was at some moment of the read.
func TestCacheHidesNothing(t *testing.T) {
	var used CacheStats
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			store := newSlowStore(seed, 5*time.Millisecond)
			c := NewCache(store, CacheOptions{MaxAge: -1, Tail: 20, MaxBytes: 200_000})
			defer c.Close()
			var all sync.WaitGroup
			for channel := range 3 {
				useChannel(t, &all, c, fmt.Sprint(channel), seed)
			}
			all.Wait()
			s := c.Stats()
			used.Hits, used.Joined, used.Reads = used.Hits+s.Hits, used.Joined+s.Joined, used.Reads+s.Reads
		})
	}
	if used.Hits < used.Reads/4 || used.Joined == 0 {
		t.Errorf("it hardly used the cache: %+v", used)
	}
}

// Writers that get in each other's way leave the cache as the store.
func TestCacheOfManyWriters(t *testing.T) {
	for seed := range uint64(8) {
		synctest.Test(t, func(t *testing.T) {
			store := newSlowStore(seed, 5*time.Millisecond)
			c := NewCache(store, CacheOptions{MaxAge: -1, Tail: 20})
			defer c.Close()
			for round := range 30 {
				var writers sync.WaitGroup
				for w := range uint64(4) {
					writers.Go(func() {
						r := rand.New(rand.NewPCG(seed, uint64(round)*10+w))
						for i := range 3 {
							if r.IntN(2) == 0 {
								if _, err := c.Page(t.Context(), "a", askAnything(r, 40)); err != nil {
									t.Error(err)
								}
							}
							if err := writeAnything(r, "a", 40, i)(t.Context(), c); err != nil && !errors.Is(err, ErrNotFound) {
								t.Error(err)
							}
						}
					})
				}
				writers.Wait()
				r := rand.New(rand.NewPCG(seed, uint64(round)))
				for range 20 {
					q := askAnything(r, 40)
					checkPage(t, c, "a", q, q.Of(store.channels["a"]))
				}
			}
		})
	}
}

func TestCacheReaderLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore(1, time.Second)
		all := fill(t, store, "a", 10)
		c := NewCache(store, CacheOptions{})
		defer c.Close()
		q := Query{Limit: 5}
		first, cancel := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		readers.Go(func() {
			if _, err := c.Page(first, "a", q); !errors.Is(err, context.Canceled) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		readers.Go(func() { checkPage(t, c, "a", q, q.Of(all)) })
		synctest.Wait()
		cancel()
		readers.Wait()

		// When all have left, so has the read.
		short, cancel := context.WithTimeout(t.Context(), time.Nanosecond)
		defer cancel()
		began := time.Now()
		if _, err := c.Page(short, "b", q); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		c.running.Wait()
		if took := time.Since(began); took > time.Nanosecond {
			t.Errorf("the read went on for %v", took)
		}
	})
}

func TestCacheForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := newSlowStore(1, time.Millisecond)
		fill(t, store, "a", 10)
		c := NewCache(store, CacheOptions{MaxAge: time.Minute})
		defer c.Close()
		elsewhere := func(id ID) {
			if err := store.Append(t.Context(), "a", []Message{said("a", id)}); err != nil {
				t.Fatal(err)
			}
		}
		newest := func(ctx context.Context) ID {
			page, err := c.Page(ctx, "a", Query{Limit: 1})
			if err != nil || len(page) != 1 {
				t.Error(page, err)
				return 0
			}
			return page[0].ID
		}
		if id := newest(t.Context()); id != 10 {
			t.Error(id)
		}
		elsewhere(11)
		if id := newest(t.Context()); id != 10 {
			t.Errorf("%d, though nothing told the cache", id)
		}
		if id := newest(WithStaleness(t.Context(), 0)); id != 11 {
			t.Errorf("%d where what is in force was asked for", id)
		}
		c.Invalidate("a")
		if id := newest(t.Context()); id != 11 {
			t.Errorf("%d after Invalidate", id)
		}
		elsewhere(12)
		time.Sleep(time.Minute)
		if id := newest(t.Context()); id != 12 {
			t.Errorf("%d after MaxAge", id)
		}
		// Invalidated while it is read, a page is not kept.
		go newest(t.Context())
		time.Sleep(time.Minute)
		go newest(t.Context())
		synctest.Wait()
		c.Invalidate("a")
		reads := store.reads.Load()
		newest(t.Context())
		if store.reads.Load() == reads {
			t.Error("a page that was read before Invalidate was kept")
		}
	})
}

// lateStore does an Append a while after it has failed.
type lateStore struct {
	*MemoryStore
	after time.Duration
}

func (s lateStore) Append(_ context.Context, channel string, batch []Message) error {
	time.AfterFunc(s.after, func() { s.MemoryStore.Append(context.Background(), channel, batch) })
	return errLost
}

func TestCacheOfAWriteThatIsDoneLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(lateStore{NewMemoryStore(), 5 * time.Second}, CacheOptions{MaxAge: -1})
		defer c.Close()
		checkPage(t, c, "a", Query{Limit: 5}, nil)
		if err := c.Append(t.Context(), "a", []Message{said("a", 1)}); !errors.Is(err, errLost) {
			t.Fatal(err)
		}
		checkPage(t, c, "a", Query{Limit: 5}, nil)
		time.Sleep(6 * time.Second)
		checkPage(t, c, "a", Query{Limit: 5}, []Message{said("a", 1)})
		time.Sleep(6 * time.Second)
		checkPage(t, c, "a", Query{Limit: 5}, []Message{said("a", 1)})
		checkPage(t, c, "a", Query{Limit: 5}, []Message{said("a", 1)})
		if s := c.Stats(); s.Hits != 1 {
			t.Errorf("it is never cached again: %+v", s)
		}
	})
}

func TestCacheIsBounded(t *testing.T) {
	store := NewMemoryStore()
	const most = 50_000
	c := NewCache(store, CacheOptions{MaxBytes: most, MaxAge: -1, Tail: 20})
	defer c.Close()
	r := rand.New(rand.NewPCG(1, 1))
	for i := range 3000 {
		channel := fmt.Sprint(r.IntN(30))
		c.Append(t.Context(), channel, []Message{said(channel, ID(i+1))})
		for range 2 {
			q := askAnything(r, ID(i+1))
			checkPage(t, c, channel, q, q.Of(store.channels[channel]))
		}
		if s := c.Stats(); s.Bytes > most || s.Bytes < 0 {
			t.Fatalf("%+v", s)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	bytes, pages := 0, 0
	for name, ch := range c.channels {
		if ch.tail != nil {
			bytes, pages = bytes+ch.tail.bytes, pages+1
		}
		for _, p := range ch.pages {
			bytes, pages = bytes+p.bytes, pages+1
		}
		if ch.tail == nil && len(ch.pages) == 0 {
			t.Errorf("channel %s is kept for nothing", name)
		}
	}
	if bytes != c.stats.Bytes || pages != c.recent.Len() {
		t.Errorf("%d bytes in %d pages; counted: %d in %d", bytes, pages, c.stats.Bytes, c.recent.Len())
	}
}

type brokenStore struct{ *MemoryStore }

func (brokenStore) Page(context.Context, string, Query) ([]Message, error) { panic("broken") }

func TestCacheOfABrokenStore(t *testing.T) {
	c := NewCache(brokenStore{}, CacheOptions{})
	if _, err := c.Page(t.Context(), "a", Query{Limit: 1}); err == nil {
		t.Error("no error")
	}
	if _, err := c.Page(t.Context(), "a", Query{}); !errors.Is(err, ErrQuery) {
		t.Error(err)
	}
	c.Close()
	if _, err := c.Page(t.Context(), "a", Query{Limit: 1}); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
}

// What is outside of a page's span does not change it, and what the newest messages answer is what
// the store would.
func FuzzSpan(f *testing.F) {
	for seed := range uint64(50) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 0))
		var all []Message
		for id := range ID(40) {
			if r.IntN(3) > 0 {
				all = append(all, said("a", id+1))
			}
		}
		tail := cachedPage{messages: all, ids: everything}
		if n := r.IntN(len(all) + 1); n > 0 {
			tail.messages, tail.ids.low = all[n:], all[n-1].ID+1
		}
		for range 50 {
			q := askAnything(r, 45)
			page := q.Of(all)
			if got, told := tail.answer(q); told && !samePage(got, page) {
				t.Errorf("of %v: %+v: got %v, want %v", brief(tail.messages), q, brief(got), brief(page))
			}
			s := q.span(page)
			for id := range ID(50) {
				if id == 0 || s.meets(span{id, id}) {
					continue
				}
				other := without(all, []ID{id})
				if len(other) == len(all) {
					other = withAppended(all[:len(all):len(all)], "a", []Message{said("a", id)}, nil)
				}
				if !samePage(q.Of(other), page) {
					t.Errorf("%+v of %v has span %v, and %d changes it", q, brief(all), s, id)
				}
			}
		}
	})
}

// deafStore reads at once, answers a second later, and does not hear that nobody listens.
type deafStore struct{ *MemoryStore }

func (s deafStore) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	page, err := s.MemoryStore.Page(context.WithoutCancel(ctx), channel, q)
	time.Sleep(time.Second)
	return page, err
}

func TestCacheKeepsNothingOfALeftRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := NewCache(deafStore{NewMemoryStore()}, CacheOptions{MaxAge: -1})
		defer c.Close()
		checkPage(t, c, "a", Query{Limit: 5, Before: 3}, nil) // so that the channel is known
		short, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		c.Page(short, "a", Query{Limit: 5})
		if err := c.Append(t.Context(), "a", []Message{said("a", 9)}); err != nil {
			t.Fatal(err)
		}
		c.running.Wait()
		checkPage(t, c, "a", Query{Limit: 5}, []Message{said("a", 9)})
	})
}

func TestCacheKeepsFewPagesOfAChannel(t *testing.T) {
	store := NewMemoryStore()
	all := fill(t, store, "a", 1000)
	c := NewCache(store, CacheOptions{MaxAge: -1})
	defer c.Close()
	for id := ID(2); id < 1000; id++ {
		q := Query{Before: id, Limit: 1}
		checkPage(t, c, "a", q, q.Of(all))
	}
	if s := c.Stats(); s.Pages != mostPages {
		t.Errorf("%+v", s)
	}
}
