package gatewaytest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func TestMemorySessions(t *testing.T) {
	SessionStore(t, func(*testing.T) gateway.SessionStore { return gateway.NewMemorySessions() })
}

// brokenStore is a store in which one sentence of the contract does not hold.
type brokenStore struct {
	*gateway.MemorySessions
	save   func(s *gateway.MemorySessions, ctx context.Context, recs []gateway.StoredSession) error
	take   func(s *gateway.MemorySessions, ctx context.Context, id string) (gateway.StoredSession, error)
	forget func(s *gateway.MemorySessions, ctx context.Context, ids []string) error
}

func (b *brokenStore) Save(ctx context.Context, recs ...gateway.StoredSession) error {
	if b.save != nil {
		return b.save(b.MemorySessions, ctx, recs)
	}
	return b.MemorySessions.Save(ctx, recs...)
}

func (b *brokenStore) Take(ctx context.Context, id string) (gateway.StoredSession, error) {
	if b.take != nil {
		return b.take(b.MemorySessions, ctx, id)
	}
	return b.MemorySessions.Take(ctx, id)
}

func (b *brokenStore) Delete(ctx context.Context, ids ...string) error {
	if b.forget != nil {
		return b.forget(b.MemorySessions, ctx, ids)
	}
	return b.MemorySessions.Delete(ctx, ids...)
}

// TestEachStoreCaseCatches: for every case there is a broken store that it refuses.
func TestEachStoreCaseCatches(t *testing.T) {
	type (
		store = gateway.MemorySessions
		rec   = gateway.StoredSession
	)
	saving := func(change func(*rec)) func(*store, context.Context, []rec) error {
		return func(s *store, ctx context.Context, recs []rec) error {
			for i := range recs {
				change(&recs[i])
			}
			return s.Save(ctx, recs...)
		}
	}
	var mu sync.Mutex
	var meeting sync.WaitGroup
	var once sync.Once
	taken := make(map[string]rec)
	tests := map[string]brokenStore{
		"SaveKeepsEverything": {save: saving(func(r *rec) { r.Data = r.Data[:min(len(r.Data), 64<<10)] })},
		"SaveMany": {save: func(s *store, ctx context.Context, recs []rec) error {
			return s.Save(ctx, recs[:min(len(recs), 100)]...)
		}},
		"SaveReplaces": {save: func(s *store, ctx context.Context, recs []rec) error {
			for _, r := range recs {
				if old, err := s.Take(ctx, r.ID); err == nil {
					r = old
				}
				s.Save(ctx, r)
			}
			return nil
		}},
		"TakeRemoves": {take: func(s *store, ctx context.Context, id string) (rec, error) {
			r, err := s.Take(ctx, id)
			if err == nil {
				s.Save(ctx, r)
			}
			return r, err
		}},
		"TakeLeavesOthers": {take: func(s *store, ctx context.Context, id string) (rec, error) {
			r, err := s.Take(ctx, id)
			s.Delete(ctx, id+"b") // as a pattern would
			return r, err
		}},
		"TakeOnce": {take: func(s *store, ctx context.Context, id string) (rec, error) {
			r, err := s.Take(ctx, id)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				taken[id] = r
			}
			if r, ok := taken[id]; ok {
				return r, nil
			}
			return r, err
		}},
		"TakeUnknown": {take: func(s *store, ctx context.Context, id string) (rec, error) {
			r, err := s.Take(ctx, id)
			if errors.Is(err, gateway.ErrNoSession) {
				err = nil
			}
			return r, err
		}},
		"TakeExpired": {save: saving(func(r *rec) { r.Expires = r.Expires.Add(time.Minute) })},
		"TakeFails": {take: func(s *store, ctx context.Context, id string) (rec, error) {
			r, err := s.Take(context.WithoutCancel(ctx), id)
			return r, errors.Join(err, ctx.Err())
		}},
		"DeleteForgets": {forget: func(s *store, ctx context.Context, ids []string) error {
			return s.Delete(ctx, ids[:min(len(ids), 1)]...)
		}},
		"DeleteUnknown": {forget: func(s *store, ctx context.Context, ids []string) error {
			for _, id := range ids {
				if _, err := s.Take(ctx, id); err != nil {
					return err
				}
			}
			return nil
		}},
		"Concurrent": {save: func() func(*store, context.Context, []rec) error {
			// A store that reads, waits for somebody else to write, and writes: the
			// first of two records saved at once is lost.
			var first bool
			meeting.Add(1)
			return func(s *store, ctx context.Context, recs []rec) error {
				mu.Lock()
				mine := !first
				first = true
				mu.Unlock()
				if !mine {
					err := s.Save(ctx, recs...)
					once.Do(meeting.Done)
					return err
				}
				meeting.Wait()
				return nil
			}
		}()},
		"Context": {forget: func(s *store, ctx context.Context, ids []string) error {
			return s.Delete(context.WithoutCancel(ctx), ids...)
		}},
	}
	for _, c := range sessionStoreCases {
		b, ok := tests[c.name]
		if !ok {
			t.Errorf("no broken store for %s", c.name)
			continue
		}
		b.MemorySessions = gateway.NewMemorySessions()
		if c.run(t.Context(), &b) == nil {
			t.Errorf("%s does not notice a store that breaks its rule: %s", c.name, c.rule)
		}
	}
}
