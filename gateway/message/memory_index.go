package message

import (
	"context"
	"slices"
	"sync"
)

// MemoryIndex is an Index of this process, which reads every message for every search: for
// tests, and for what need not last. Make one with [NewMemoryIndex].
type MemoryIndex struct {
	mu       sync.RWMutex
	messages map[Hit]indexed
}

type indexed struct {
	author string
	words  []string // sorted
}

// NewMemoryIndex returns an empty index.
func NewMemoryIndex() *MemoryIndex { return &MemoryIndex{messages: make(map[Hit]indexed)} }

// Add is of [Index].
func (x *MemoryIndex) Add(ctx context.Context, batch []Message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, m := range batch {
		x.messages[Hit{m.Channel, m.ID}] = indexed{m.Author, Words(m.Content)}
	}
	return nil
}

// Remove is of [Index].
func (x *MemoryIndex) Remove(ctx context.Context, channel string, ids ...ID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, id := range ids {
		delete(x.messages, Hit{channel, id})
	}
	return nil
}

// Search is of [Index].
func (x *MemoryIndex) Search(ctx context.Context, s Search) ([]Hit, error) {
	words, err := s.Check()
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	x.mu.RLock()
	defer x.mu.RUnlock()
	var hits []Hit
	for hit, m := range x.messages {
		if s.covers(hit, m.author) && !slices.ContainsFunc(words, func(w string) bool {
			_, there := slices.BinarySearch(m.words, w)
			return !there
		}) {
			hits = append(hits, hit)
		}
	}
	slices.SortFunc(hits, func(a, b Hit) int {
		if a.ID > b.ID {
			return -1
		}
		return 1
	})
	return hits[:min(len(hits), s.Limit)], nil
}

// covers reports whether a message is among those that are searched.
func (s Search) covers(hit Hit, author string) bool {
	return (len(s.Channels) == 0 || slices.Contains(s.Channels, hit.Channel)) &&
		(s.Author == "" || s.Author == author) &&
		(s.Before == 0 || hit.ID < s.Before) && hit.ID > s.After
}
