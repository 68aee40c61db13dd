package gateway

import (
	"context"
	"sync"
	"time"
)

// MemorySessions is a [SessionStore] for the gateways of one process. Sessions
// whose time is over go with the next Save.
type MemorySessions struct {
	mu     sync.Mutex
	byID   map[string]memorySession
	leases map[string]time.Time // when they end, by node
	tidy   time.Time            // when to look for what is over again
}

// memorySession is a record with the node that saved or took it.
type memorySession struct {
	StoredSession
	by string
}

// NewMemorySessions returns an empty store.
func NewMemorySessions() *MemorySessions {
	return &MemorySessions{byID: make(map[string]memorySession), leases: make(map[string]time.Time)}
}

// tidyEvery is how often a store looks for sessions and leases whose time is over.
const tidyEvery = 10 * time.Second

// Save keeps records.
func (m *MemorySessions) Save(ctx context.Context, node string, records ...StoredSession) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.forgetOld(time.Now())
	var taken []string
	for _, rec := range records {
		old, kept := m.kept(rec.ID)
		if kept && old.by != node && (old.Node != "" || rec.Node != "") {
			taken = append(taken, rec.ID)
			continue
		}
		m.byID[rec.ID] = memorySession{rec, node}
	}
	if len(taken) > 0 {
		return &TakenError{IDs: taken}
	}
	return nil
}

// Take gives a session to a node and returns the record as it was.
func (m *MemorySessions) Take(ctx context.Context, node, id string) (StoredSession, error) {
	if err := ctx.Err(); err != nil {
		return StoredSession{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	rec, kept := m.kept(id)
	switch {
	case !kept:
		return StoredSession{}, ErrNoSession
	case rec.Node != "" && rec.Node != node && time.Now().Before(m.leases[rec.Node]):
		return StoredSession{}, &TakenError{Node: rec.Node, User: rec.User, IDs: []string{id}}
	}
	was := rec.StoredSession
	rec.Node, rec.by = node, node
	m.byID[id] = rec
	return was, nil
}

// Delete forgets records.
func (m *MemorySessions) Delete(ctx context.Context, node string, ids ...string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range ids {
		if rec := m.byID[id]; rec.Node == "" || rec.Node == node {
			delete(m.byID, id)
		}
	}
	return nil
}

// Renew says that a node lives.
func (m *MemorySessions) Renew(ctx context.Context, node string, lease time.Duration) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.leases[node] = time.Now().Add(lease)
	return nil
}

// Len returns how many sessions are kept that nobody has, expired ones included.
func (m *MemorySessions) Len() (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, rec := range m.byID {
		if rec.Node == "" {
			n++
		}
	}
	return n
}

// kept is a record whose time is not over. mu is held.
func (m *MemorySessions) kept(id string) (rec memorySession, ok bool) {
	rec, ok = m.byID[id]
	return rec, ok && time.Now().Before(rec.Expires)
}

// forgetOld forgets what is over, every now and then. mu is held.
func (m *MemorySessions) forgetOld(now time.Time) {
	if now.Before(m.tidy) {
		return
	}
	m.tidy = now.Add(tidyEvery)
	for id, rec := range m.byID {
		if !now.Before(rec.Expires) {
			delete(m.byID, id)
		}
	}
	for node, ends := range m.leases {
		if !now.Before(ends) {
			delete(m.leases, node)
		}
	}
}
