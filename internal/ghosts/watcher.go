package ghosts

import (
	"context"
	"sync"
	"testing"

	"github.com/gatehouse-go/gatehouse/presence"
)

const everywhere = "everywhere"

// watcher is a tracker that is told of everybody.
type watcher struct {
	tracker *presence.Tracker

	mu   sync.Mutex
	seen map[string]sight
}

// sight is what was told of somebody.
type sight struct {
	here       bool
	came, went int // how often
}

func watch(t *testing.T, s presence.Store, users []string) *watcher {
	tracker, err := presence.New(options(s))
	if err != nil {
		t.Fatal(err)
	}
	w := &watcher{tracker: tracker, seen: make(map[string]sight)}
	for _, user := range users {
		tracker.Join(everywhere, user)
	}
	tracker.Watch(everywhere, w.told)
	t.Cleanup(func() {
		if err := tracker.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return w
}

func (w *watcher) told(_ string, changes []presence.Change) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range changes {
		s := w.seen[c.User]
		switch here := c.Status != presence.Offline; {
		case here && !s.here:
			s.came++
		case !here && s.here:
			s.went++
		}
		s.here = c.Status != presence.Offline
		w.seen[c.User] = s
	}
}

func (w *watcher) sight(user string) sight {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.seen[user]
}
