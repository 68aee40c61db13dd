package main

import (
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/nats"
	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/presence"
)

// newWhereabouts looks at people as notifications does.
func newWhereabouts(t *testing.T, w *world) func(t *testing.T, name string) need {
	t.Helper()
	conn, js, err := dial(w.nats)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	store, err := nats.NewPresence(t.Context(), js, brokerName, nats.StoreOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	where := &whereabouts{store: store}
	return func(t *testing.T, name string) need {
		t.Helper()
		if err := where.refresh(t.Context()); err != nil {
			t.Fatal(err)
		}
		return where.need(name, message.At(time.Now()))
	}
}

func TestNeed(t *testing.T) {
	said := time.Now().Truncate(time.Millisecond)
	before, after := said.Add(-time.Second), said.Add(time.Second)
	entry := func(session string, at, left time.Time, gone bool) presence.Entry {
		return presence.Entry{User: "bob", Session: session, Version: 1, At: at, Left: left, Gone: gone}
	}
	var never time.Time
	tests := []struct {
		name    string
		entries []presence.Entry
		want    need
	}{
		{"never seen", nil, needed},
		{"connected", []presence.Entry{entry("1", before, never, false)}, notNeeded},
		{"came after it was said", []presence.Entry{entry("1", after, never, false)}, notNeeded},
		{"signed out before", []presence.Entry{entry("1", before, never, true)}, needed},
		{"signed out after", []presence.Entry{entry("1", after, never, true)}, notNeeded},
		{"signed out in that millisecond", []presence.Entry{entry("1", said.Add(time.Microsecond), never, true)}, needed},
		{"lost the connection before", []presence.Entry{entry("1", before, before, false)}, undecided},
		{"lost it after", []presence.Entry{entry("1", after, after, false)}, notNeeded},
		{"lost it before, and did not come back", []presence.Entry{entry("1", after, before, true)}, needed},
		{"lost one device, has another", []presence.Entry{entry("1", before, before, false), entry("2", before, never, false)}, notNeeded},
		{"lost one before, another after", []presence.Entry{entry("1", before, before, false), entry("2", after, after, false)}, notNeeded},
		{"signed out on the last one after", []presence.Entry{entry("1", before, never, true), entry("2", after, never, true)}, notNeeded},
		{"came back", []presence.Entry{entry("1", before, before, false), entry("1", after, never, false)}, notNeeded},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			w := &whereabouts{}
			for _, e := range tt.entries {
				w.apply(e)
			}
			if got := w.need("bob", message.At(said)); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
