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
	graves  []grave // of gone entries, oldest first; some have come back since
	entries map[sessionKey]*kept
	owners  map[string]int       // how many entries that are not gone bear a node
	leases  map[string]time.Time // when they end
}

type sessionKey struct{ user, session string }

type kept struct {
	Entry
	cursor        uint64
	before, after *kept // in the order of changes
}

// grave is a gone entry and when it was put.
type grave struct {
	*kept
	at time.Time
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
	return &MemoryStore{entries: make(map[sessionKey]*kept), owners: make(map[string]int), leases: make(map[string]time.Time)}
}

// Put implements [Store].
func (s *MemoryStore) Put(ctx context.Context, entries ...Entry) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for _, e := range entries {
		s.put(e, now)
	}
	s.forget(now)
	return nil
}

func (s *MemoryStore) put(e Entry, now time.Time) {
	key := sessionKey{e.User, e.Session}
	if old, ok := s.entries[key]; ok {
		if old.Version >= e.Version {
			return
		}
		s.unlink(old)
		s.own(old.Entry, -1)
	}
	s.cursor++
	k := &kept{Entry: e, cursor: s.cursor}
	s.entries[key] = k
	s.last(k)
	s.own(e, 1)
	if e.Gone {
		s.graves = append(s.graves, grave{k, now})
	}
}

// own counts an entry to its node, or from it.
func (s *MemoryStore) own(e Entry, n int) {
	if e.Gone {
		return
	}
	if s.owners[e.Node] += n; s.owners[e.Node] == 0 {
		delete(s.owners, e.Node)
	}
}

// forget drops gone entries that are old enough.
func (s *MemoryStore) forget(now time.Time) {
	for len(s.graves) > 0 && now.Sub(s.graves[0].at) >= forgetAfter {
		k := s.graves[0].kept
		s.graves[0], s.graves = grave{}, s.graves[1:]
		key := sessionKey{k.User, k.Session}
		if s.entries[key] == k {
			s.unlink(k)
			delete(s.entries, key)
		}
	}
}

// Renew implements [Store].
func (s *MemoryStore) Renew(ctx context.Context, node string, lease time.Duration) (known bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, known = s.leases[node]
	s.leases[node] = time.Now().Add(lease)
	return known, nil
}

// Sweep implements [Store]. It looks at every entry, if a node is dead that has some.
func (s *MemoryStore) Sweep(ctx context.Context, node string) ([]Entry, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	dead := s.dead(node, now)
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
		s.put(e, now)
	}
	return swept, nil
}

// dead returns the nodes but one that have entries and do not live, and when
// their leases ended. It forgets the leases that are over.
func (s *MemoryStore) dead(but string, now time.Time) map[string]time.Time {
	dead := map[string]time.Time{}
	for name := range s.owners {
		if _, known := s.leases[name]; !known && name != but {
			dead[name] = now
		}
	}
	for name, until := range s.leases {
		if until.After(now) || name == but {
			continue
		}
		delete(s.leases, name)
		if s.owners[name] > 0 {
			dead[name] = until
		}
	}
	return dead
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
