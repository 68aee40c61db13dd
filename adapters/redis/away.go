package redis

import (
	"fmt"
	"sync"
)

// away is which feeds of a broker are cut off, and why. The zero value is none.
type away struct {
	mu    sync.Mutex // held while nothing else is locked
	feeds map[*feed]error
}

// add notes that a feed is cut off. It reports whether nobody knew.
func (a *away) add(f *feed, why error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.feeds[f] != nil || f.crew.ctx.Err() != nil {
		return false
	}
	if a.feeds == nil {
		a.feeds = make(map[*feed]error)
	}
	a.feeds[f] = why
	return true
}

func (a *away) has(f *feed) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.feeds[f] != nil
}

// remove notes that a feed is not cut off any more. It reports whether it was.
func (a *away) remove(f *feed) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	was := a.feeds[f] != nil
	delete(a.feeds, f)
	return was
}

func (a *away) err() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, why := range a.feeds {
		return fmt.Errorf("redis: a feed is cut off: %w", why)
	}
	return nil
}
