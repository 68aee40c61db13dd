package presence

import (
	"context"
	"sync"
	"time"
)

// MemoryStore is a [Store] for the trackers of one process. Make it with
// [NewMemoryStore]; it is safe for concurrent use.
type MemoryStore struct {
	mu      sync.Mutex
	cursor  uint64
	oldest  *kept // of a list by last change
	newest  *kept
	graves  []*kept // gone entries, oldest first; some have come back since
	entries map[sessionKey]*kept
	leases  map[string]time.Time
	latest  time.Time // At of all entries
}

type sessionKey struct{ user, session string }

type kept struct {
	Entry
	cursor        uint64
	before, after *kept // in the order of changes
}

// last makes k, which is not in the list, the one that changed last.
func (s *MemoryStore) last(k *kept) {
	k.before, k.after = s.newest, nil
	if s.newest == nil {
		s.oldest = k
	} else {
		s.newest.after = k
	}
	s.newest = k
}

// unlink takes k out of the list.
func (s *MemoryStore) unlink(k *kept) {
	if k.before == nil {
		s.oldest = k.after
	} else {
		k.before.after = k.after
	}
	if k.after == nil {
		s.newest = k.before
	} else {
		k.after.before = k.before
	}
}

// forgetAfter is how long a gone entry is kept, for trackers that are behind.
const forgetAfter = time.Hour

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{entries: make(map[sessionKey]*kept), leases: make(map[string]time.Time)}
}

// Put implements [Store].
func (s *MemoryStore) Put(ctx context.Context, e Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(e)
	return nil
}

func (s *MemoryStore) put(e Entry) {
	key := sessionKey{e.User, e.Session}
	old, ok := s.entries[key]
	if ok {
		if old.Version >= e.Version {
			return
		}
		s.unlink(old)
	}
	s.cursor++
	k := &kept{Entry: e, cursor: s.cursor}
	s.entries[key] = k
	s.last(k)
	if e.Gone {
		s.graves = append(s.graves, k)
	}
	if e.At.After(s.latest) {
		s.latest = e.At
	}
	s.forget()
}

// forget drops gone entries that are old enough.
func (s *MemoryStore) forget() {
	for len(s.graves) > 0 && s.latest.Sub(s.graves[0].At) >= forgetAfter {
		k := s.graves[0]
		s.graves[0], s.graves = nil, s.graves[1:]
		key := sessionKey{k.User, k.Session}
		if s.entries[key] == k {
			s.unlink(k)
			delete(s.entries, key)
		}
	}
}

// Renew implements [Store].
func (s *MemoryStore) Renew(ctx context.Context, node string, until time.Time) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.leases[node] = until
	return nil
}

// Sweep implements [Store]. It looks at every entry, if a lease has ended.
func (s *MemoryStore) Sweep(ctx context.Context, node string, now time.Time) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	dead := map[string]time.Time{}
	for name, until := range s.leases {
		if until.Before(now) && name != node {
			dead[name] = until
			delete(s.leases, name)
		}
	}
	if len(dead) == 0 {
		return nil, nil
	}
	var swept []Entry
	for k := s.oldest; k != nil; k = k.after {
		e := k.Entry
		ended, ok := dead[e.Node]
		if !ok || e.Gone {
			continue
		}
		e.Node, e.At = node, now
		e.Version++
		if e.Left.IsZero() {
			e.Left = ended
		}
		swept = append(swept, e)
	}
	for _, e := range swept {
		s.put(e)
	}
	return swept, nil
}

// Since implements [Store]. It costs what has changed.
func (s *MemoryStore) Since(ctx context.Context, cursor uint64) ([]Entry, uint64, error) {
	if err := ctx.Err(); err != nil {
		return nil, cursor, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for k := s.newest; k != nil && k.cursor > cursor; k = k.before {
		n++
	}
	if n == 0 {
		return nil, max(cursor, s.cursor), nil
	}
	changed := make([]Entry, n)
	for k := s.newest; n > 0; k = k.before {
		n--
		changed[n] = k.Entry
	}
	return changed, s.cursor, nil
}
