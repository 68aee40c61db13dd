package main

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
)

// A message that is sent again with its nonce is there once, and told once.
func TestSendingAgain(t *testing.T) {
	data := filepath.Join(t.TempDir(), "chat.db")
	url, stop := start(t, data)
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	in := map[string]any{"channel_id": "2", "content": "once", "nonce": "n1", "enforce_nonce": true}
	first, code := ann.call("SEND_MESSAGE", in)
	if code != "" {
		t.Fatal(code)
	}
	if again, code := ann.call("SEND_MESSAGE", in); code != "" || again["id"] != first["id"] || again["nonce"] != "n1" {
		t.Errorf("sent again: %v, %s", again, code)
	}
	if other, _ := bob.call("SEND_MESSAGE", in); other["id"] == first["id"] {
		t.Error("somebody else's nonce counts")
	}
	if _, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "3", "content": "once", "nonce": "n1", "enforce_nonce": true}); code != "NOT_FOUND" {
		t.Errorf("the same nonce in another channel: %q", code)
	}
	stop()

	url, _ = start(t, data)
	ann, bob = join(t, url, "ann"), join(t, url, "bob")
	if again, _ := ann.call("SEND_MESSAGE", in); again["id"] != first["id"] {
		t.Errorf("sent again after a restart: %v", again)
	}
	ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "twice", "nonce": "n1"})
	if m := string(bob.until(0, "MESSAGE_CREATE")); !strings.Contains(m, "twice") {
		t.Errorf("told of %s", m)
	}
	if got := ann.history("2"); got != "once|once|twice|" {
		t.Errorf("history is %s", got)
	}
	for who, want := range map[*client]string{ann: "n1", bob: ""} {
		d, _ := who.call("HISTORY", map[string]any{"channel_id": "2"})
		if got, _ := d["messages"].([]any)[0].(map[string]any)["nonce"].(string); got != want {
			t.Errorf("nonce in history is %q, want %q", got, want)
		}
	}
}

// A message that was deleted does not come back when it is sent again.
func TestSendingAgainWhatWasDeleted(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := join(t, url, "ann")
	in := map[string]any{"channel_id": "2", "content": "oops", "nonce": "n1", "enforce_nonce": true}
	m, code := ann.call("SEND_MESSAGE", in)
	if code != "" {
		t.Fatal(code)
	}
	if _, code := ann.call("DELETE_MESSAGE", map[string]any{"channel_id": "2", "message_id": m["id"]}); code != "" {
		t.Fatal(code)
	}
	if _, code := ann.call("SEND_MESSAGE", in); code != "NOT_FOUND" {
		t.Errorf("sent again: %q", code)
	}
	in["nonce"] = "n2"
	if _, code := ann.call("SEND_MESSAGE", in); code != "" {
		t.Errorf("sent anew: %q", code)
	}
	if got := ann.history("2"); got != "oops|" {
		t.Errorf("history is %s", got)
	}
}

// Nonces are forgotten after a day, also those of deleted messages.
func TestNoncesAreForgotten(t *testing.T) {
	s, err := newServer(t.Context(), filepath.Join(t.TempDir(), "chat.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(context.Background())
	now := s.now()
	at := func(ago time.Duration) id { return id(now.Add(-ago).UnixMilli()-epoch) << 22 }
	for nonce, i := range map[string]id{"kept": at(keepNonces - time.Hour), "old": at(keepNonces + time.Hour), "old, deleted": at(keepNonces + 2*time.Hour)} {
		if _, err := s.guild.db.Exec(`INSERT INTO chat_nonces (author, nonce, message) VALUES (7, ?, ?)`, nonce, int64(i)); err != nil {
			t.Fatal(err)
		}
		if err := s.store.Append(t.Context(), sqlite.Message{ID: uint64(i), Channel: 2}); err != nil {
			t.Fatal(err)
		}
		if strings.Contains(nonce, "deleted") {
			if err := s.store.Delete(t.Context(), 2, uint64(i)); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, nonce := range []string{"kept", "old", "old, deleted"} {
		i := s.ids.next(now)
		claimed, err := s.guild.claim(t.Context(), 7, nonce, i)
		if err != nil || (claimed == i) != (nonce != "kept") {
			t.Errorf("%s: claim is %d of %d, %v", nonce, claimed, i, err)
		}
	}
}

// A command that changes something is not left half-way when its client goes.
func TestCommandOutlivesItsClient(t *testing.T) {
	s, err := newServer(t.Context(), filepath.Join(t.TempDir(), "chat.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(context.Background())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	lasting, done := outlive(gone)
	defer done()
	if _, err := s.createChannel(lasting, 0, createChannel{Name: "late"}); err != nil {
		t.Error(err)
	}
	if all, err := s.guild.channels(t.Context()); err != nil || len(all) != 4 {
		t.Errorf("%d channels, %v", len(all), err)
	}
}

// The longest message fits whatever it is written in, and however it is escaped.
func TestLongestMessage(t *testing.T) {
	url, _ := start(t, filepath.Join(t.TempDir(), "chat.db"))
	ann := join(t, url, "ann")
	for name, text := range map[string]string{"utf-8": strings.Repeat("漢", maxContent), "escaped": strings.Repeat(`\ud83e\udd86`, maxContent)} {
		payload := `{"op":100,"d":{"t":"SEND_MESSAGE","n":1,"d":{"channel_id":"2","content":"` + text + `","nonce":"x"}}}`
		if err := ann.ws.Write(t.Context(), websocket.MessageText, []byte(payload)); err != nil {
			t.Fatal(err)
		}
		if d := string(ann.until(0, "MESSAGE_CREATE")); strings.Count(d, "漢")+strings.Count(d, "🦆") != maxContent {
			t.Errorf("%s: got %d bytes", name, len(d))
		}
	}
}

// What has been kept is told, even if its author's connection is gone by then.
func TestPublishOutlivesItsClient(t *testing.T) {
	s, err := newServer(t.Context(), filepath.Join(t.TempDir(), "chat.db"), "")
	if err != nil {
		t.Fatal(err)
	}
	defer s.close(context.Background())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.publish(gone, "MESSAGE_CREATE", 0, object{}); err != nil {
		t.Error(err)
	}
}

// A message that is there already spoils nothing for those that share its transaction.
func TestSendingAgainAmongOthers(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "chat.db"), sqlite.Options{Schema: schema})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	w := newWrites(store)
	defer w.close(t.Context())
	if err := w.keep(t.Context(), sqlite.Message{ID: 1000, Channel: 2}); err != nil {
		t.Fatal(err)
	}
	var senders sync.WaitGroup
	for i := range 200 {
		senders.Go(func() {
			if err := w.keep(t.Context(), sqlite.Message{ID: uint64(i + 1), Channel: 2}); err != nil {
				t.Error(err)
			}
		})
		senders.Go(func() {
			if err := w.keep(t.Context(), sqlite.Message{ID: 1000, Channel: 2}); !errors.Is(err, sqlite.ErrExists) {
				t.Errorf("an id twice: %v", err)
			}
		})
	}
	senders.Wait()
	if page, err := store.History(t.Context(), 2, 0, 1000); err != nil || len(page) != 201 {
		t.Errorf("%d messages, %v", len(page), err)
	}
}
