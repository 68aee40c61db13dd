package message

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/batch"
)

func TestNonceWindow(t *testing.T) {
	tests := []struct {
		name     string
		window   time.Duration
		most     int
		between  int           // other messages
		wait     time.Duration // before it is sent again
		restart  bool
		repeated bool
	}{
		{"at once", 0, 0, 0, 0, false, true},
		{"within the window", 0, 0, 10, 4 * time.Minute, false, true},
		{"after it", 0, 0, 10, 6 * time.Minute, false, false},
		{"longer window", time.Hour, 0, 10, 50 * time.Minute, false, true},
		{"no window", -1, 0, 0, 0, false, false},
		{"many others", 0, 0, 400, 0, false, true},
		{"more than are remembered", 0, 20, 21, 0, false, false},
		{"as many as are remembered", 0, 20, 19, 0, false, true},
		{"after a restart", 0, 0, 0, time.Minute, true, true},
		{"after a restart, pages away", 0, 0, 400, time.Minute, true, true},
		{"after a restart, and the window", 0, 0, 10, 6 * time.Minute, true, false},
		{"no window, after a restart", -1, 0, 0, 0, true, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			inBubble(t, func(t *testing.T, h *hooked) {
				o := Options{Store: h, NonceWindow: tt.window, MaxNonces: tt.most}
				p := mustNew(t, o)
				first := mustSend(t, p, hello("1"))
				for i := range tt.between {
					mustSend(t, p, hello(fmt.Sprint("other ", i)))
				}
				pass(tt.wait)
				if tt.restart {
					p = mustNew(t, o)
				}
				again := mustSend(t, p, hello("1"))
				if (again.ID == first.ID) != tt.repeated {
					t.Errorf("sent as %d and again as %d", first.ID, again.ID)
				}
				want := 2 + tt.between
				if tt.repeated {
					want--
				}
				if n := len(h.all(t, "7")); n != want {
					t.Errorf("%d are stored, want %d", n, want)
				}
			})
		})
	}
}

func TestNonceIsOfItsSender(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		p := mustNew(t, Options{Store: h})
		ids := make(map[ID]bool)
		for _, m := range []Message{
			{Channel: "7", Author: "ann", Nonce: "1"}, {Channel: "7", Author: "bob", Nonce: "1"}, {Channel: "8", Author: "ann", Nonce: "1"},
			{Channel: "7", Author: "ann", Nonce: "2"}, {Channel: "7", Author: "ann"}, {Channel: "7", Author: "ann"},
		} {
			m.Content = "hello"
			ids[mustSend(t, p, m).ID] = true
		}
		if len(ids) != 6 {
			t.Errorf("%d messages, want 6", len(ids))
		}
	})
}

// TestRepeated: what is sent again is answered by what is stored, and delivered if that is not known.
func TestRepeated(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		var d delivered
		o := Options{Store: h, Deliver: d.deliver}
		p := mustNew(t, o)
		first := mustSend(t, p, hello("1"))
		mustSend(t, p, hello("1"))
		if n := len(d.ids["7"]); n != 1 {
			t.Errorf("delivered %d times, and it was known", n)
		}
		edited := first
		edited.Content, edited.Edited = "edited", time.Now()
		if err := h.Edit(t.Context(), edited); err != nil {
			t.Fatal(err)
		}
		if m := mustSend(t, p, hello("1")); m.Content != "edited" {
			t.Errorf("answered with %+v", m)
		}

		p = mustNew(t, o)
		for range 2 {
			mustSend(t, p, hello("1"))
		}
		if n := len(d.ids["7"]); n != 2 {
			t.Errorf("delivered %d times over a restart, want 2", n)
		}
	})
}

func TestDeletedIsNotDeliveredAgain(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		var d delivered
		p := mustNew(t, Options{Store: h, Deliver: d.deliver})
		first := mustSend(t, p, hello("1"))
		if _, err := h.Delete(t.Context(), "7", first.ID); err != nil {
			t.Fatal(err)
		}
		if again := mustSend(t, p, hello("1")); again.ID != first.ID || len(d.ids["7"]) != 1 || len(h.all(t, "7")) != 0 {
			t.Errorf("sent again as %+v, delivered %v", again, d.ids)
		}
	})
}

func TestMaxChannels(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		p := mustNew(t, Options{Store: h, MaxChannels: 2})
		say := func(channel string) (pages int) {
			before := h.pages
			m := hello("")
			m.Channel = channel
			mustSend(t, p, m)
			return h.pages - before
		}
		for i, tt := range []struct {
			channel string
			pages   int
		}{{"a", 1}, {"b", 1}, {"a", 0}, {"c", 1}, {"a", 0}, {"b", 1}, {"c", 1}} {
			if pages := say(tt.channel); pages != tt.pages {
				t.Errorf("%d: channel %s was read %d times, want %d", i, tt.channel, pages, tt.pages)
			}
		}
	})
}

// TestIndexAfterAKill: what was stored and not indexed is, as soon as the channel is used again.
func TestIndexAfterAKill(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		mustSend(t, mustNew(t, Options{Store: h}), hello("1")) // it dies before the index
		x := NewMemoryIndex()
		mustSend(t, mustNew(t, Options{Store: h, Index: x}), hello("2"))
		if hits, err := x.Search(t.Context(), Search{Text: "hello", Limit: 9}); err != nil || len(hits) != 2 {
			t.Errorf("found %v, %v", hits, err)
		}
	})
}

// TestQueueID: a queue that drops what is put twice under an id drops nobody else's.
func TestQueueID(t *testing.T) {
	q := NewMemoryQueue()
	p := mustNew(t, Options{Store: NewMemoryStore(), Queue: q})
	ids := make(map[string]bool)
	for _, m := range []Message{
		{Author: "a/b", Nonce: "c"}, {Author: "a", Nonce: "b/c"}, {Author: `a"/"b`, Nonce: "c"}, {Author: "a", Nonce: `b"/"c`}, {Author: "a", Nonce: ""}, {Author: "a", Nonce: ""},
	} {
		m.Channel, m.Content = "7", "hello"
		if _, err := p.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		items, err := q.Take(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		ids[items[0].ID] = true
	}
	if len(ids) != 6 {
		t.Errorf("%d ids of 6 messages: %v", len(ids), ids)
	}
}

// TestRepeatedBesideAFailure: what was answered is not touched when its batch is tried again.
func TestRepeatedBesideAFailure(t *testing.T) {
	inBubble(t, func(t *testing.T, h *hooked) {
		p := mustNew(t, Options{Store: h, Batch: batch.Options{MaxDelay: time.Millisecond}})
		first := mustSend(t, p, hello("1"))
		tries := 0
		h.append = func(ctx context.Context, channel string, batch []Message) error {
			if tries++; tries < 3 {
				return errStorm
			}
			return h.MemoryStore.Append(ctx, channel, batch)
		}
		var all sync.WaitGroup
		for _, nonce := range []string{"1", "2", "1", "3", "2"} { // one batch
			all.Go(func() {
				if m := mustSend(t, p, hello(nonce)); (m.ID == first.ID) != (nonce == "1") {
					t.Errorf("nonce %s is %d", nonce, m.ID)
				}
			})
		}
		all.Wait()
		if stored := len(h.all(t, "7")); stored != 3 || tries != 3 {
			t.Errorf("%d are stored after %d tries", stored, tries)
		}
	})
}
