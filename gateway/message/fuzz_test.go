package message

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

func FuzzID(f *testing.F) {
	for _, text := range []string{"0", "1", "9223372036854775807", "-1", "", "18446744073709551615", "007"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		id := ID(42)
		if err := id.UnmarshalText(text); err != nil {
			if id != 42 {
				t.Errorf("%q is no id, and gave %d", text, id)
			}
			return
		}
		again, err := id.MarshalText()
		if id > 1<<63-1 || err != nil || strings.TrimLeft(string(text), "0") != strings.TrimLeft(string(again), "0") {
			t.Errorf("%q is %d, and that is %q, %v", text, id, again, err)
		}
		_, _ = id.Time(), id.Node()
	})
}

func FuzzUnqueue(f *testing.F) {
	for _, data := range []string{
		`{"v":1,"a":"ann","c":"hello","d":"AAEC","n":"1"}`, `{"v":1,"n":""}`, `{"v":2,"n":"1"}`, `{}`, `null`, `[]`, `{"v":1,"n":"1"} x`, `{"v":1,"n":"\ud800"}`, "",
	} {
		f.Add("7", []byte(data))
	}
	f.Fuzz(func(t *testing.T, key string, data []byte) {
		m, err := unqueue(Item{Key: key, Data: data})
		if err != nil {
			return
		}
		if m.Channel != key || key == "" || m.Nonce == "" || m.ID != 0 || !m.Edited.IsZero() {
			t.Errorf("%q is %+v", data, m)
		}
	})
}

// FuzzQueued: what one process puts is what another reads.
func FuzzQueued(f *testing.F) {
	f.Add("7", "ann", "hello", []byte{0, 255}, "1")
	f.Add("a/b", "a/b", "<b>\u2028&", []byte{}, "")
	f.Fuzz(func(t *testing.T, channel, author, content string, data []byte, nonce string) {
		q := NewMemoryQueue()
		p, err := New(Options{Store: NewMemoryStore(), Queue: q, Validate: Rules{MaxLength: -1, MaxData: -1, MaxName: -1, AllowEmpty: true}.Check})
		if err != nil {
			t.Fatal(err)
		}
		m := Message{Channel: channel, Author: author, Content: content, Data: data, Nonce: nonce}
		sent, err := p.Send(t.Context(), m)
		if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		items, err := q.Take(t.Context(), 1)
		if err != nil {
			t.Fatal(err)
		}
		got, err := unqueue(items[0])
		if sent.Nonce == "" || nonce != "" && sent.Nonce != nonce {
			t.Errorf("the nonce %q was put as %q", nonce, sent.Nonce)
		}
		if err != nil || got.Channel != sent.Channel || got.Author != sent.Author || got.Content != sent.Content || string(got.Data) != string(data) || got.Nonce != sent.Nonce {
			t.Errorf("put %+v, took %+v, %v", sent, got, err)
		}
	})
}

func FuzzWords(f *testing.F) {
	for _, text := range []string{"Hello, world", "İıſK", "\xff\xfe", strings.Repeat("é", 50), strings.Repeat("\xff", 100) + "a", "ǅ ß ẞ Σς"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		words := Words(text)
		if !slices.IsSorted(words) || len(slices.Compact(slices.Clone(words))) != len(words) {
			t.Errorf("%q: %q is not sorted, or twice", text, words)
		}
		for _, w := range words {
			if w == "" || len(w) > maxWord || utf8.ValidString(text) && !utf8.ValidString(w) {
				t.Errorf("%q has the word %q", text, w)
			}
		}
		// Words of words are the same words: so what an index has kept can be read again.
		if again := Words(strings.Join(words, " ")); !slices.Equal(again, words) {
			t.Errorf("%q has the words %q, and these %q", text, words, again)
		}
	})
}

func FuzzRules(f *testing.F) {
	f.Add("7", "ann", "hello \r\n\r\n x", "1")
	f.Add("7", "\xff", "\x00", "")
	f.Add("", "", "<@<@<@", "\u2028")
	f.Add("7", "", "\r\r\n", "")
	f.Fuzz(func(t *testing.T, channel, author, content, nonce string) {
		m := Message{Channel: channel, Author: author, Content: content, Nonce: nonce}
		if err := (Rules{}).Check(context.Background(), &m); err != nil {
			if refusal := (*Refusal)(nil); !errors.As(err, &refusal) || refusal.Code != CodeInvalid {
				t.Errorf("refused with %v", err)
			}
			return
		}
		if !utf8.ValidString(m.Content+m.Channel+m.Author+m.Nonce) || strings.ContainsAny(m.Content, "\x00\r\x1b\x7f") || m.Content != strings.TrimSpace(m.Content) {
			t.Errorf("taken: %+q", m)
		}
		again := m
		if err := (Rules{}).Check(context.Background(), &again); err != nil || again.Content != m.Content {
			t.Errorf("taken as %q, and then as %q: %v", m.Content, again.Content, err)
		}
	})
}
