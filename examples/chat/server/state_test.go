package server

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// A session goes on at the next server, which tells it what it missed, also
// what was said when neither was there.
func TestStateOverARestart(t *testing.T) {
	data, file := filepath.Join(t.TempDir(), "chat.db"), filepath.Join(t.TempDir(), "chat.state")
	url, stop := startWith(t, data, file)
	ann := join(t, url, "ann")
	session := ann.session
	ann.ws.Close(websocket.StatusCode(4000), "") // which keeps the session
	robot := bot{t, url, "Bot robot"}
	robot.send("missed")
	stop()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Fatalf("state file: %v, %v", info, err)
	}

	url, _ = startWith(t, data, file)
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the state file is still there: %v", err)
	}
	robot.url = url
	robot.send("missed too")
	ann = connect(t, url)
	ann.send(6, map[string]any{"token": "ann", "session_id": session, "seq": 2})
	var got string
	for {
		var e envelope
		ann.read(&e)
		if e.Op == 9 || e.T == "RESUMED" {
			break
		}
		if e.T == "MESSAGE_CREATE" {
			var m sent
			if err := json.Unmarshal(e.D, &m); err != nil {
				t.Fatal(err)
			}
			got += m.Content + "|"
		}
	}
	if got != "missed|missed too|" {
		t.Errorf("told %s", got)
	}
}

// A file that cannot be used costs the sessions and nothing else, and is not
// there for the next start.
func TestStateThatCannotBeUsed(t *testing.T) {
	good := filepath.Join(t.TempDir(), "good")
	broker, sessions := gateway.NewMemoryBroker(gateway.MemoryBrokerOptions{}), gateway.NewMemorySessions()
	if err := sessions.Save(t.Context(), "a node", gateway.StoredSession{ID: "s", User: "u", Expires: time.Now().Add(time.Hour)}); err != nil {
		t.Fatal(err)
	}
	if err := writeState(good, 7, broker, sessions); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		text string
		last id
		want int // sessions
	}{
		"good":              {string(text), 7, 1},
		"of another moment": {string(text), 8, 0},
		"half":              {string(text[:len(text)/2]), 7, 0},
		"empty":             {"", 7, 0},
		"other version":     {strings.Replace(string(text), `"sessions":"A`, `"sessions":"B`, 1), 7, 0},
	} {
		file := filepath.Join(t.TempDir(), "state")
		if err := os.WriteFile(file, []byte(tt.text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, taken := takeState(file, tt.last)
		if taken.Len() != tt.want {
			t.Errorf("%s: %d sessions", name, taken.Len())
		}
		if _, err := os.Stat(file); !os.IsNotExist(err) {
			t.Errorf("%s: the file is still there: %v", name, err)
		}
	}
	if _, taken := takeState(filepath.Join(t.TempDir(), "none"), 0); taken == nil || taken.Len() != 0 {
		t.Error("a first start has no sessions to begin with")
	}
	if _, taken := takeState("", 0); taken != nil {
		t.Error("sessions are kept for nobody")
	}
}

// What is asked for while the server stops is either done and told, or refused.
func TestNothingIsKeptAndNotTold(t *testing.T) {
	data := filepath.Join(t.TempDir(), "chat.db")
	s, err := New(t.Context(), Options{Data: data})
	if err != nil {
		t.Fatal(err)
	}
	if !s.gate.enter() {
		t.Fatal("the gate is shut")
	}
	closed := make(chan error)
	go func() { closed <- s.Close(t.Context()) }()
	for s.gate.enter() { // until it is shut
		s.gate.leave()
	}
	if _, err := s.signIn(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	ann, _, _ := userOf("ann")
	if _, err := s.send(t.Context(), ann, sendMessage{ChannelID: 2, Content: "in time"}); err != nil {
		t.Errorf("who is inside: %v", err)
	}
	s.gate.leave()
	if err := <-closed; err != nil {
		t.Error(err)
	}
	store, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	if page, err := store.Page(t.Context(), "2", message.Query{Limit: 10}); err != nil || len(page) != 1 {
		t.Errorf("%d messages, %v", len(page), err)
	}
}
