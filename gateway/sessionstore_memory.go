package gateway

import (
	"context"
	"sync"
	"time"
)

// MemorySessions is a [SessionStore] for the gateways of one process. Sessions
// whose time is over go with the next Save.
type MemorySessions struct {
	mu   sync.Mutex
	byID map[string]StoredSession
	tidy time.Time // when to look for expired ones again
}

// NewMemorySessions returns an empty store.
func NewMemorySessions() *MemorySessions {
	return &MemorySessions{byID: make(map[string]StoredSession)}
}

// tidyEvery is how often a store looks for sessions whose time is over.
const tidyEvery = 10 * time.Second

// Save keeps records.
func (m *MemorySessions) Save(ctx context.Context, records ...StoredSession) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if now := time.Now(); now.After(m.tidy) {
		m.tidy = now.Add(tidyEvery)
		for id, rec := range m.byID {
			if !now.Before(rec.Expires) {
				delete(m.byID, id)
			}
		}
	}
	for _, rec := range records {
		m.byID[rec.ID] = rec
	}
	return nil
}

// Take removes a record and returns it.
func (m *MemorySessions) Take(ctx context.Context, id string) (StoredSession, error) {
	if err := ctx.Err(); err != nil {
		return StoredSession{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, ok := m.byID[id]
	delete(m.byID, id)
	if !ok || !time.Now().Before(rec.Expires) {
		return StoredSession{}, ErrNoSession
	}
	return rec, nil
}

// Delete forgets records.
func (m *MemorySessions) Delete(ctx context.Context, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		delete(m.byID, id)
	}
	return nil
}

// Len returns how many sessions are kept, expired ones included.
func (m *MemorySessions) Len() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.byID)
}
