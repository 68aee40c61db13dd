package redis_test

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/redis"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/internal/servers"
	"github.com/gatehouse-go/gatehouse/presence"
)

// A record of a newer version is a gap in its topic where it is heard, and in its partition where it is read;
// what comes behind it comes.
func TestNewerRecordIsTold(t *testing.T) {
	t.Parallel()
	s := servers.Redis(t)
	b := broker(t, connect(t, s.Addr()), "newer", redis.BrokerOptions{})
	g := new(gate)
	a := listen(t, broker(t, connectThrough(t, g, s.Addr()), "newer", redis.BrokerOptions{}), []string{"a"})
	at, err := a.Follow(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	say(t, b, "a", 1, 2)
	if err := b.PublishNewer(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	say(t, b, "a", 2, 4)
	a.awaits(t, "a", 1, -1, 2, 3)
	if recs, err := b.Since(t.Context(), at); !errors.Is(err, gateway.ErrGap) {
		t.Errorf("%v, %v, want a gap", recs, err)
	}
	at.Offset += 2
	if recs, err := b.Since(t.Context(), at); len(recs) != 2 || err != nil {
		t.Errorf("%v, %v, want the two behind it", recs, err)
	}
	again, err := a.Follow(t.Context(), "a")
	if err != nil || again.Offset != at.Offset+2 {
		t.Errorf("followed up to %v, %v", again, err)
	}
}

// A session of a newer version is refused, for good, and stays where it is.
func TestNewerSession(t *testing.T) {
	t.Parallel()
	client := connect(t, servers.Redis(t).Addr())
	s := sessions(t, client, "newer")
	rec := gateway.StoredSession{ID: "1", User: "ann", Expires: time.Now().Add(time.Minute), Data: []byte{1}}
	if err := s.Save(t.Context(), "new", rec); err != nil {
		t.Fatal(err)
	}
	if err := client.HSet(t.Context(), s.Key("1"), "v", 2).Err(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.Take(t.Context(), "old", "1"); !errors.Is(err, gateway.ErrVersion) {
			t.Errorf("take: %v, want gateway.ErrVersion", err)
		}
	}
	if err := client.HSet(t.Context(), s.Key("1"), "v", 1).Err(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Take(t.Context(), "new", "1"); err != nil {
		t.Errorf("the newer node finds it so: %v", err)
	}
}

// Presence of a newer version is not seen, and said once. A node that dies hands it over as it is.
func TestNewerPresence(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	p := redis.NewPresence(connect(t, servers.Redis(t).Addr()), "newer", redis.PresenceOptions{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	t.Cleanup(func() { p.Close() })
	now := time.Now()
	entry := func(user string, version uint64) presence.Entry {
		return presence.Entry{User: user, Session: "1", Node: "dead", Version: version, Status: presence.Online, At: now}
	}
	for _, put := range []error{
		p.PutNewer(t.Context(), entry("ann", 1)), p.Put(t.Context(), entry("bob", 1)), p.PutNewer(t.Context(), entry("eve", 1)),
		p.Put(t.Context(), entry("eve", 2)),
	} {
		if put != nil {
			t.Fatal(put)
		}
	}
	changed, cursor, err := p.Since(t.Context(), 0)
	if len(changed) != 2 || changed[0].User != "bob" || changed[1].User != "eve" || err != nil {
		t.Errorf("%v, %v, want bob's and eve's", changed, err)
	}
	swept, err := p.Sweep(t.Context(), "old")
	if len(swept) != 2 || err != nil {
		t.Errorf("swept are %v, %v, want bob's and eve's", swept, err)
	}
	if changed, _, err = p.Since(t.Context(), cursor); len(changed) != 2 || err != nil { // ann's is of that version still
		t.Errorf("%v, %v, want bob's and eve's", changed, err)
	}
	if n := strings.Count(log.String(), "cannot be read"); n != 1 {
		t.Errorf("it was said %d times:\n%s", n, &log)
	}
}
