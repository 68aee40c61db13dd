package message

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
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
