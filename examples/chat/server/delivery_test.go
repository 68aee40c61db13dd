package server

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
)

// A message that is sent again with its nonce is there once, and told once by each server.
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
	elsewhere, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "3", "content": "elsewhere", "nonce": "n1", "enforce_nonce": true})
	if code != "" || elsewhere["id"] == first["id"] {
		t.Errorf("the same nonce in another channel: %v, %q", elsewhere, code)
	}
	stop()

	url, _ = start(t, data)
	ann, bob = join(t, url, "ann"), join(t, url, "bob")
	if again, _ := ann.call("SEND_MESSAGE", in); again["id"] != first["id"] {
		t.Errorf("sent again after a restart: %v", again)
	}
	// This server cannot know whether the last one told of it: it is told again, and known by its id.
	if m := string(bob.until(0, "MESSAGE_CREATE")); !strings.Contains(m, `"id":"`+first["id"].(string)+`"`) {
		t.Errorf("told of %s", m)
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

// A command that changes something is not left half-way when its client goes.
func TestCommandOutlivesItsClient(t *testing.T) {
	s, err := New(t.Context(), Options{Data: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
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
	s, err := New(t.Context(), Options{Data: filepath.Join(t.TempDir(), "chat.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.publish(gone, "MESSAGE_CREATE", 0, object{}); err != nil {
		t.Error(err)
	}
}
