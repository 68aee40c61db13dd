package server

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/adapters/sqlite"
	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// With a store of others the data file finds, and has nothing of what it finds.
func TestStoreOfOthers(t *testing.T) {
	data, store, queue := filepath.Join(t.TempDir(), "chat.db"), message.NewMemoryStore(), message.NewMemoryQueue()
	options := func() Options { return Options{Data: data, Store: store, Queue: queue} }
	url, stop := startOptions(t, options())
	ann, bob := join(t, url, "ann"), join(t, url, "bob")
	m, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "a zebra", "nonce": 7})
	if code != "" || m["id"] == "" || m["nonce"] != 7.0 {
		t.Fatalf("the answer is %v, %s", m, code)
	}
	if d := string(bob.until(0, "MESSAGE_CREATE")); !strings.Contains(d, `"nonce":7`) {
		t.Errorf("told of %s", d)
	}
	if plain, code := ann.call("SEND_MESSAGE", map[string]any{"channel_id": "2", "content": "plain"}); code != "" || plain["nonce"] != nil {
		t.Errorf("who sends no nonce gets %v, %s", plain["nonce"], code)
	}
	found := func(words string) int {
		t.Helper()
		d, code := bob.call("SEARCH", map[string]any{"text": words})
		if code != "" {
			t.Fatal(code)
		}
		return len(d["messages"].([]any))
	}
	if n := found("zebra"); n != 1 {
		t.Errorf("%d messages were found", n)
	}
	for name, in := range map[string]map[string]any{"EMPTY": {"channel_id": "2", "content": " "}, "NOT_FOUND": {"channel_id": "99", "content": "x"}} {
		if _, code := ann.call("SEND_MESSAGE", in); code != name {
			t.Errorf("%v: %s", in, code)
		}
	}
	stop()

	file, err := sqlite.Open(t.Context(), data, sqlite.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if page, err := file.Page(t.Context(), "2", message.Query{Limit: 10}); len(page) != 0 || err != nil {
		t.Errorf("the data file has %d messages, %v", len(page), err)
	}
	file.Close()
	url, _ = startOptions(t, options())
	bob = join(t, url, "bob")
	if got := bob.history("2"); got != "a zebra|plain|" {
		t.Errorf("history is %s", got)
	}
	last := bob.guild["channels"].([]any)[0].(map[string]any)["last_message_id"]
	if last == nil || found("zebra") != 1 {
		t.Errorf("the last message is %v", last)
	}
	bob.call("EDIT_MESSAGE", map[string]any{"channel_id": "2", "message_id": m["id"], "content": "x"}) // ann's
	ann = join(t, url, "ann")
	ann.call("EDIT_MESSAGE", map[string]any{"channel_id": "2", "message_id": m["id"], "content": "a giraffe"})
	if found("zebra") != 0 || found("giraffe") != 1 {
		t.Error("the edit was not noticed")
	}
	ann.call("DELETE_MESSAGE", map[string]any{"channel_id": "2", "message_id": m["id"]})
	if found("giraffe") != 0 {
		t.Error("it is found after it was deleted")
	}
}

// ailing is a store that fails while it is told to.
type ailing struct {
	message.Store
	down atomic.Bool
}

func (a *ailing) Append(ctx context.Context, channel string, batch []message.Message) error {
	if a.down.Load() {
		return errors.New("down")
	}
	return a.Store.Append(ctx, channel, batch)
}

// What is queued while the store fails is told when it is back, also by the next server.
func TestQueueHoldsWhatTheStoreDoesNotTake(t *testing.T) {
	store, queue := &ailing{Store: message.NewMemoryStore()}, message.NewMemoryQueue()
	data := filepath.Join(t.TempDir(), "chat.db")
	s, err := New(t.Context(), Options{Data: data, Store: store, Queue: queue})
	if err != nil {
		t.Fatal(err)
	}
	store.down.Store(true)
	if _, err := s.signIn(t.Context(), "ann", false); err != nil {
		t.Fatal(err)
	}
	ann, _, _ := userOf("ann")
	short, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	if _, err := s.send(short, ann, sendMessage{ChannelID: 2, Content: "held"}); !errors.Is(err, unavailable) {
		t.Errorf("the sender was told %v", err)
	}
	if err := s.Close(t.Context()); err != nil {
		t.Error(err)
	}
	queue.Close() // as an adapter's taker is, whose items are taken by the next
	url, _ := startOptions(t, Options{Data: data, Store: store, Queue: queue.Another()})
	bob := join(t, url, "bob")
	store.down.Store(false)
	if d := string(bob.until(0, "MESSAGE_CREATE")); !strings.Contains(d, `"content":"held"`) {
		t.Errorf("told of %s", d)
	}
	if got := bob.history("2"); got != "held|" {
		t.Errorf("history is %s", got)
	}
}
