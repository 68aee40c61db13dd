package message

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// slowStore is a MemoryStore behind a network, in a synctest bubble: what a call does happens at
// some moment of it. As long as failing is set, calls fail, half of them after their work.
type slowStore struct {
	*MemoryStore
	most    time.Duration // of each way
	reads   atomic.Int64
	failing atomic.Bool
	random  lockedRandom
}

func newSlowStore(seed uint64, most time.Duration) *slowStore {
	return &slowStore{MemoryStore: NewMemoryStore(), most: most, random: lockedRandom{r: rand.New(rand.NewPCG(seed, 1))}}
}

type lockedRandom struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (l *lockedRandom) n(most int) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.IntN(most)
}

var errLost = fmt.Errorf("the connection was lost")

func (s *slowStore) call(ctx context.Context, do func() error) error {
	fails := s.failing.Load()
	if err := s.way(ctx); err != nil {
		return err
	}
	if fails && s.random.n(2) == 0 {
		return errLost
	}
	if err := do(); err != nil {
		return err
	}
	if fails {
		return errLost
	}
	return s.way(ctx)
}

func (s *slowStore) way(ctx context.Context) error {
	select {
	case <-time.After(time.Duration(s.random.n(int(s.most)) + 1)):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (s *slowStore) Append(ctx context.Context, channel string, batch []Message) error {
	return s.call(ctx, func() error { return s.MemoryStore.Append(ctx, channel, batch) })
}

func (s *slowStore) Page(ctx context.Context, channel string, q Query) (page []Message, err error) {
	s.reads.Add(1)
	err = s.call(ctx, func() error {
		page, err = s.MemoryStore.Page(ctx, channel, q)
		return err
	})
	return page, err
}

func (s *slowStore) Edit(ctx context.Context, m Message) error {
	return s.call(ctx, func() error { return s.MemoryStore.Edit(ctx, m) })
}

func (s *slowStore) Delete(ctx context.Context, channel string, ids ...ID) (deleted []ID, err error) {
	err = s.call(ctx, func() error {
		deleted, err = s.MemoryStore.Delete(ctx, channel, ids...)
		return err
	})
	return deleted, err
}

// said is a message for tests.
func said(channel string, id ID) Message {
	return Message{ID: id, Channel: channel, Author: "ann", Content: fmt.Sprint("said ", id)}
}

// askAnything is some query about ids up to most.
func askAnything(r interface{ IntN(int) int }, most ID) Query {
	q := Query{Limit: 1 + r.IntN(12)}
	id := ID(1 + r.IntN(int(most)))
	switch r.IntN(4) {
	case 0:
		q.Before = id
	case 1:
		q.After = id
	case 2:
		q.Around = id
	}
	return q
}

// checkPage fails the test unless the page has these messages.
func checkPage(t *testing.T, s Store, channel string, q Query, want []Message) {
	t.Helper()
	got, err := s.Page(t.Context(), channel, q)
	if err != nil {
		t.Errorf("%+v: %v", q, err)
	} else if !samePage(got, want) {
		t.Errorf("%+v:\ngot  %v\nwant %v", q, brief(got), brief(want))
	}
}

func samePage(a, b []Message) bool {
	return slices.EqualFunc(a, b, func(a, b Message) bool { return a.ID == b.ID && a.Content == b.Content })
}

func brief(page []Message) string {
	s := ""
	for i, m := range page {
		if i == 20 {
			return s + fmt.Sprint("and ", len(page)-i, " more")
		}
		s += fmt.Sprintf("%d:%s ", m.ID, m.Content)
	}
	return s
}

// useChannel has one write to a channel, each time until it succeeds, and look at once, and others
// read all the while. Every page is what the channel was at some moment of the read. The function
// returns what the channel should be after all.
func useChannel(t *testing.T, all *sync.WaitGroup, c Store, channel string, seed uint64) (result func() []Message) {
	seed = seed<<32 | shard.Hash(channel)>>32
	var mu sync.Mutex
	states := [][]Message{nil} // what the channel was, one more while a write is under way
	settled := 0
	done := make(chan struct{})
	const most = 120

	read := func(r *rand.Rand) {
		q := askAnything(r, most)
		mu.Lock()
		first := settled
		mu.Unlock()
		got, err := c.Page(t.Context(), channel, q)
		mu.Lock()
		defer mu.Unlock()
		if errors.Is(err, errLost) {
			return
		}
		if err != nil || !slices.ContainsFunc(states[first:], func(s []Message) bool { return samePage(got, q.Of(s)) }) {
			t.Errorf("seed %d, %+v: %v, %v; want one of %d, the last %v", seed, q, brief(got), err, len(states)-first, brief(q.Of(states[len(states)-1])))
		}
	}
	all.Go(func() {
		defer close(done)
		r := rand.New(rand.NewPCG(seed, 2))
		model := NewMemoryStore()
		for i := range 150 {
			mu.Lock()
			write := writeAnything(r, channel, ID(min(most, i+5)), i)
			write(t.Context(), model)
			states = append(states, slices.Clone(model.channels[channel]))
			mu.Unlock()
			for err := write(t.Context(), c); err != nil && !errors.Is(err, ErrNotFound); err = write(t.Context(), c) {
				if !errors.Is(err, errLost) {
					t.Error(err)
				}
				sleep(t.Context(), 10*time.Millisecond)
			}
			mu.Lock()
			settled++
			mu.Unlock()
			for range r.IntN(3) {
				read(r)
			}
		}
	})
	for reader := range uint64(4) {
		all.Go(func() {
			r := rand.New(rand.NewPCG(seed, 10+reader))
			for {
				select {
				case <-done:
					return
				case <-time.After(time.Duration(r.IntN(int(3 * time.Millisecond)))):
					read(r)
				}
			}
		})
	}
	return func() []Message { return states[len(states)-1] }
}

// writeAnything is some write with ids up to most, of which it prefers the highest.
func writeAnything(r *rand.Rand, channel string, most ID, i int) func(context.Context, Store) error {
	some := func() ID { return ID(max(1, int(most)-r.IntN(1+r.IntN(int(most))))) }
	m := said(channel, some())
	m.Content = fmt.Sprint("write ", i)
	switch r.IntN(5) {
	case 0:
		return func(ctx context.Context, s Store) error { return s.Edit(ctx, m) }
	case 1:
		ids := []ID{some(), some()}
		return func(ctx context.Context, s Store) error {
			_, err := s.Delete(ctx, channel, ids...)
			return err
		}
	case 2:
		twice := []Message{m, m, said(channel, some())}
		return func(ctx context.Context, s Store) error { return s.Append(ctx, channel, twice) }
	}
	return func(ctx context.Context, s Store) error { return s.Append(ctx, channel, []Message{m}) }
}
