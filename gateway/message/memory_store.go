package message

import (
	"context"
	"slices"
	"sync"
)

// MemoryStore is a Store of this process: for tests, and for what need not last. Make one with
// [NewMemoryStore].
type MemoryStore struct {
	mu       sync.RWMutex
	channels map[string][]Message // in the order of ids
}

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore { return &MemoryStore{channels: make(map[string][]Message)} }

// Append is of [Store].
func (s *MemoryStore) Append(ctx context.Context, channel string, batch []Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.channels[channel]
	for _, m := range batch {
		if i, there := find(all, m.ID); !there {
			m.Channel = channel
			all = slices.Insert(all, i, m)
		}
	}
	s.channels[channel] = all
	return nil
}

// Page is of [Store].
func (s *MemoryStore) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	if err := q.Check(); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Clone(q.Of(s.channels[channel])), nil
}

// Edit is of [Store].
func (s *MemoryStore) Edit(ctx context.Context, m Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.channels[m.Channel]
	i, there := find(all, m.ID)
	if !there {
		return ErrNotFound
	}
	all[i].Content, all[i].Data, all[i].Edited = m.Content, m.Data, m.Edited
	return nil
}

// Delete is of [Store].
func (s *MemoryStore) Delete(ctx context.Context, channel string, ids ...ID) ([]ID, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var deleted []ID
	all := s.channels[channel]
	for _, id := range ids {
		if i, there := find(all, id); there {
			all = slices.Delete(all, i, i+1)
			deleted = append(deleted, id)
		}
	}
	s.channels[channel] = all
	slices.Sort(deleted)
	return deleted, nil
}
