package interop

import (
	"bytes"
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"
)

// lines takes what a bot prints: dispatches, one a line.
type lines struct {
	ended chan struct{} // closed when the bot has

	mu   sync.Mutex
	rest []byte // of a line that is not complete
	seen []dispatch
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rest = append(l.rest, p...)
	for {
		line, rest, ok := bytes.Cut(l.rest, []byte("\n"))
		if !ok {
			return len(p), nil
		}
		var d dispatch
		if err := json.Unmarshal(line, &d); err == nil {
			l.seen = append(l.seen, d)
		}
		l.rest = rest
	}
}

func (l *lines) all() []dispatch {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.seen)
}

// within waits until a condition holds that nobody announces.
func within(t *testing.T, what string, long time.Duration, holds func() bool) {
	t.Helper()
	deadline := time.After(long)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %s within %v", what, long)
		}
	}
}
