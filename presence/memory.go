package presence

import (
	"container/list"
	"context"
	"sync"
	"time"
)

// MemoryStore is a [Store] for the trackers of one process. Make it with
// [NewMemoryStore]; it is safe for concurrent use.
type MemoryStore struct {
	mu      sync.Mutex
	cursor  uint64
	order   list.List // of *kept, by last change
	graves  []*kept   // gone entries, oldest first; some have come back since
	entries map[sessionKey]*list.Element
	leases  map[string]time.Time
	newest  time.Time
}

type sessionKey struct{ user, session string }

type kept struct {
	Entry
	cursor uint64
}

// forgetAfter is how long a gone entry is kept, for trackers that are behind.
const forgetAfter = time.Hour

// NewMemoryStore returns an empty store.
func NewMemoryStore() *MemoryStore {
	return &MemoryStore{entries: make(map[sessionKey]*list.Element), leases: make(map[string]time.Time)}
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
	el, ok := s.entries[key]
	if ok && el.Value.(*kept).Version >= e.Version {
		return
	}
	s.cursor++
	k := &kept{e, s.cursor}
	if ok {
		el.Value = k
		s.order.MoveToBack(el)
	} else {
		s.entries[key] = s.order.PushBack(k)
	}
	if e.Gone {
		s.graves = append(s.graves, k)
	}
	if e.At.After(s.newest) {
		s.newest = e.At
	}
	s.forget()
}

// forget drops gone entries that are old enough.
func (s *MemoryStore) forget() {
	for len(s.graves) > 0 && s.newest.Sub(s.graves[0].At) >= forgetAfter {
		k := s.graves[0]
		s.graves[0], s.graves = nil, s.graves[1:]
		key := sessionKey{k.User, k.Session}
		if el := s.entries[key]; el != nil && el.Value.(*kept) == k {
			s.order.Remove(el)
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
	for el := s.order.Front(); el != nil; el = el.Next() {
		e := el.Value.(*kept).Entry
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
	el := s.order.Back()
	for ; el != nil && el.Value.(*kept).cursor > cursor; el = el.Prev() {
		n++
	}
	if n == 0 {
		return nil, max(cursor, s.cursor), nil
	}
	changed := make([]Entry, n)
	for el = s.order.Back(); n > 0; el = el.Prev() {
		n--
		changed[n] = el.Value.(*kept).Entry
	}
	return changed, s.cursor, nil
}
