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
	save   func(s *gateway.MemorySessions, ctx context.Context, node string, recs []gateway.StoredSession) error
	take   func(s *gateway.MemorySessions, ctx context.Context, node, id string) (gateway.StoredSession, error)
	forget func(s *gateway.MemorySessions, ctx context.Context, node string, ids []string) error
	renew  func(s *gateway.MemorySessions, ctx context.Context, node string, lease time.Duration) error
}

func (b *brokenStore) Save(ctx context.Context, node string, recs ...gateway.StoredSession) error {
	if b.save != nil {
		return b.save(b.MemorySessions, ctx, node, recs)
	}
	return b.MemorySessions.Save(ctx, node, recs...)
}

func (b *brokenStore) Take(ctx context.Context, node, id string) (gateway.StoredSession, error) {
	if b.take != nil {
		return b.take(b.MemorySessions, ctx, node, id)
	}
	return b.MemorySessions.Take(ctx, node, id)
}

func (b *brokenStore) Delete(ctx context.Context, node string, ids ...string) error {
	if b.forget != nil {
		return b.forget(b.MemorySessions, ctx, node, ids)
	}
	return b.MemorySessions.Delete(ctx, node, ids...)
}

func (b *brokenStore) Renew(ctx context.Context, node string, lease time.Duration) error {
	if b.renew != nil {
		return b.renew(b.MemorySessions, ctx, node, lease)
	}
	return b.MemorySessions.Renew(ctx, node, lease)
}

// TestEachStoreCaseCatches: for every case there is a broken store that it refuses.
func TestEachStoreCaseCatches(t *testing.T) {
	type (
		store = gateway.MemorySessions
		rec   = gateway.StoredSession
	)
	saving := func(change func(*rec)) func(*store, context.Context, string, []rec) error {
		return func(s *store, ctx context.Context, node string, recs []rec) error {
			for i := range recs {
				change(&recs[i])
			}
			return s.Save(ctx, node, recs...)
		}
	}
	var mu sync.Mutex
	var meeting sync.WaitGroup
	var once sync.Once
	taken := make(map[string]rec)
	tests := map[string]brokenStore{
		"SaveKeepsEverything": {save: saving(func(r *rec) { r.Data = r.Data[:min(len(r.Data), 64<<10)] })},
		"SaveMany": {save: func(s *store, ctx context.Context, node string, recs []rec) error {
			return s.Save(ctx, node, recs[:min(len(recs), 100)]...)
		}},
		"SaveReplaces": {save: func(s *store, ctx context.Context, node string, recs []rec) error {
			for _, r := range recs {
				if old, err := s.Take(ctx, node, r.ID); err == nil {
					r = old
				}
				s.Save(ctx, node, r)
			}
			return nil
		}},
		"SaveLeavesAnothers": {save: func(s *store, ctx context.Context, node string, recs []rec) error {
			for _, r := range recs {
				s.Take(ctx, node, r.ID) // which it gets: nobody lives
			}
			return s.Save(ctx, node, recs...)
		}},
		"SaveLeavesNobodys": {save: func(s *store, ctx context.Context, node string, recs []rec) error {
			for _, r := range recs {
				if r.Node != "" {
					s.Delete(ctx, node, r.ID)
				}
			}
			return s.Save(ctx, node, recs...)
		}},
		"TakeGives": {take: func(s *store, ctx context.Context, node, id string) (rec, error) {
			r, err := s.Take(ctx, node, id)
			if err == nil {
				s.Delete(ctx, node, id)
			}
			return r, err
		}},
		"TakeLeavesOthers": {take: func(s *store, ctx context.Context, node, id string) (rec, error) {
			r, err := s.Take(ctx, node, id)
			s.Delete(ctx, node, id+"b") // as a pattern would
			return r, err
		}},
		"TakeAgain": {take: func(s *store, ctx context.Context, node, id string) (rec, error) {
			r, err := s.Take(ctx, node, id)
			if err == nil && r.Node == node {
				return rec{}, &gateway.TakenError{Node: node, IDs: []string{id}}
			}
			return r, err
		}},
		"TakeOfDead": {save: func(s *store, ctx context.Context, node string, recs []rec) error {
			return errors.Join(s.Save(ctx, node, recs...), s.Renew(ctx, node, time.Hour))
		}},
		"TakeOfLiving": {renew: func(*store, context.Context, string, time.Duration) error { return nil }},
		"TakeOnce": {take: func(s *store, ctx context.Context, node, id string) (rec, error) {
			r, err := s.Take(ctx, node, id)
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
		"TakeUnknown": {take: func(s *store, ctx context.Context, node, id string) (rec, error) {
			r, err := s.Take(ctx, node, id)
			if errors.Is(err, gateway.ErrNoSession) {
				err = nil
			}
			return r, err
		}},
		"TakeExpired": {save: saving(func(r *rec) { r.Expires = r.Expires.Add(time.Minute) })},
		"DeleteForgets": {forget: func(s *store, ctx context.Context, node string, ids []string) error {
			return s.Delete(ctx, node, ids[:min(len(ids), 1)]...)
		}},
		"DeleteLeavesAnothers": {forget: func(s *store, ctx context.Context, node string, ids []string) error {
			for _, id := range ids {
				s.Take(ctx, node, id)
			}
			return s.Delete(ctx, node, ids...)
		}},
		"DeleteUnknown": {forget: func(s *store, ctx context.Context, node string, ids []string) error {
			for _, id := range ids {
				if _, err := s.Take(ctx, node, id); err != nil {
					return err
				}
			}
			return s.Delete(ctx, node, ids...)
		}},
		"RenewLasts": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) error {
			return s.Renew(ctx, node, 2*lease)
		}},
		"RenewAgain": {renew: func() func(s *store, ctx context.Context, node string, lease time.Duration) error {
			first := make(map[string]bool)
			return func(s *store, ctx context.Context, node string, lease time.Duration) error {
				if first[node] {
					return nil
				}
				first[node] = true
				return s.Renew(ctx, node, lease)
			}
		}()},
		"RenewEnds": {renew: func(s *store, ctx context.Context, node string, lease time.Duration) error {
			if lease == 0 {
				return nil
			}
			return s.Renew(ctx, node, lease)
		}},
		"Concurrent": {save: func() func(*store, context.Context, string, []rec) error {
			// A store that reads, waits for somebody else to write, and writes: the
			// first of two records saved at once is lost.
			var first bool
			meeting.Add(1)
			return func(s *store, ctx context.Context, node string, recs []rec) error {
				mu.Lock()
				mine := !first
				first = true
				mu.Unlock()
				if !mine {
					err := s.Save(ctx, node, recs...)
					once.Do(meeting.Done)
					return err
				}
				meeting.Wait()
				return nil
			}
		}()},
		"Context": {forget: func(s *store, ctx context.Context, node string, ids []string) error {
			return s.Delete(context.WithoutCancel(ctx), node, ids...)
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
