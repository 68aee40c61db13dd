package nats_test

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/presence"
)

// newer puts a message of a version that nobody knows.
func newer(t *testing.T, js jetstream.JetStream, subject string) {
	t.Helper()
	if _, err := js.Publish(t.Context(), subject, []byte{9, 9, 9}); err != nil {
		t.Fatal(err)
	}
}

// A record of a newer version is a gap in its topic, heard or read: others miss nothing.
func TestNewerRecordIsTold(t *testing.T) {
	t.Parallel()
	p, near, far := away(t, nats.BrokerOptions{})
	js := connect(t, p.to)
	w := watching(t, far, "a", "b")
	at, err := w.Follow(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	publish(t, near, "a", 0, 1)
	newer(t, js, near.Stored("a"))
	publish(t, near, "b", 0, 1)
	publish(t, near, "a", 1, 2)
	w.has(t, "a", "0 gap 1")
	w.has(t, "b", "0")
	if recs, err := near.Since(t.Context(), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("%v, %v, want a gap", recs, err)
	}
	w.mu.Lock()
	behind := w.ends["a"]
	w.mu.Unlock()
	behind.Offset--
	if recs, err := near.Since(t.Context(), behind); len(recs) != 1 || err != nil {
		t.Errorf("%v, %v, want what is behind it", recs, err)
	}
	p.Hold(true)
	p.Cut()
	newer(t, js, near.Stored("a"))
	publish(t, near, "b", 1, 2)
	p.Hold(false)
	w.has(t, "b", "0 1")
	w.has(t, "a", "0 gap 1 gap")
}

// A session of a newer version is nobody's who cannot read it: whoever asks for it is told, whoever had it
// loses it, and those that are saved with it are saved.
func TestNewerSession(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	s := openSessions(t, js, "newer", nats.StoreOptions{})
	session := func(id string) gateway.StoredSession {
		return gateway.StoredSession{ID: id, User: "ann", Node: "old", Expires: time.Now().Add(time.Minute), Data: []byte{1}}
	}
	if err := s.Save(t.Context(), "old", session("1"), session("2")); err != nil {
		t.Fatal(err)
	}
	newer(t, js, "gatehouse.sessions.newer.session.1")
	for range 2 { // with and without a revision that it knows
		err := s.Save(t.Context(), "old", session("1"), session("2"))
		var taken *gateway.TakenError
		if !errors.As(err, &taken) || len(taken.IDs) != 1 || taken.IDs[0] != "1" {
			t.Errorf("save: %v, want that the first is another's", err)
		}
	}
	if err := s.Delete(t.Context(), "old", "1", "2"); err != nil {
		t.Errorf("delete: %v", err)
	}
	if _, err := s.Take(t.Context(), "old", "1"); !errors.Is(err, gateway.ErrVersion) {
		t.Errorf("take: %v, want gateway.ErrVersion", err)
	}
	if _, err := s.Take(t.Context(), "old", "2"); !errors.Is(err, gateway.ErrNoSession) {
		t.Errorf("take: %v, want that it is deleted", err)
	}
}

// A node whose lease is of a newer version lives.
func TestNewerLease(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	s := openSessions(t, js, "newer", nats.StoreOptions{})
	if err := s.Save(t.Context(), "new", gateway.StoredSession{ID: "1", User: "ann", Node: "new", Expires: time.Now().Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	newer(t, js, "gatehouse.sessions.newer.node.new")
	var taken *gateway.TakenError
	if _, err := s.Take(t.Context(), "old", "1"); !errors.As(err, &taken) || taken.Node != "new" {
		t.Errorf("take: %v, want that the node has it", err)
	}
}

// Presence of a newer version is not seen, and said once; it is in nobody's way.
func TestNewerPresence(t *testing.T) {
	t.Parallel()
	js := connect(t, embedded(t))
	var said atomic.Int32
	logger := slog.New(slog.NewTextHandler(counting{&said}, nil))
	p, err := nats.NewPresence(t.Context(), js, "newer", nats.StoreOptions{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	newer(t, js, "gatehouse.presence.newer.entry.ann.1")
	newer(t, js, "gatehouse.presence.newer.entry.bob.1")
	e := presence.Entry{User: "ann", Session: "1", Node: "old", Version: 1, Status: presence.Online, At: time.Now()}
	if err := p.Put(t.Context(), e); err != nil {
		t.Errorf("put: %v", err)
	}
	changed, cursor, err := p.Since(t.Context(), 0)
	if len(changed) != 1 || changed[0].User != "ann" || cursor == 0 || err != nil {
		t.Errorf("%v, %d, %v, want ann's", changed, cursor, err)
	}
	if n := said.Load(); n != 1 {
		t.Errorf("it was said %d times", n)
	}
}

// counting counts what is written.
type counting struct{ n *atomic.Int32 }

func (c counting) Write(p []byte) (int, error) {
	c.n.Add(int32(strings.Count(string(p), "cannot be read")))
	return len(p), nil
}
