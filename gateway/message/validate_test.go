package message

import (
	"strings"
	"testing"
)

func TestRules(t *testing.T) {
	with := func(change func(m *Message)) Message {
		m := hello("1")
		change(&m)
		return m
	}
	content := func(text string) Message { return with(func(m *Message) { m.Content = text }) }
	tests := []struct {
		name  string
		rules Rules
		m     Message
		want  string // of Content; empty: refused
	}{
		{"plain", Rules{}, content("hello"), "hello"},
		{"white space around it", Rules{}, content(" \n hello\t\u00a0"), "hello"},
		{"line feeds", Rules{}, content("a\r\nb\n\tc"), "a\nb\n\tc"},
		{"a carriage return alone", Rules{}, content("a\rb"), ""},
		{"empty", Rules{}, content(""), ""},
		{"white space", Rules{}, content(" \r\n "), ""},
		{"empty is allowed", Rules{AllowEmpty: true}, with(func(m *Message) { m.Content, m.Data = " ", []byte("image") }), "allowed"},
		{"not UTF-8", Rules{}, content("a\xffb"), ""},
		{"NUL", Rules{}, content("a\x00b"), ""},
		{"escape", Rules{}, content("a\x1b[31mb"), ""},
		{"C1 control", Rules{}, content("a\u0085b"), ""},
		{"emoji", Rules{}, content("👩‍👩‍👧‍👦 e\u0301"), "👩‍👩‍👧‍👦 e\u0301"},
		{"2,000 characters", Rules{}, content(strings.Repeat("🦊", 2000)), strings.Repeat("🦊", 2000)},
		{"2,001 characters", Rules{}, content(strings.Repeat("🦊", 2001)), ""},
		{"trimmed to 2,000", Rules{}, content(" " + strings.Repeat("a", 2000) + " "), strings.Repeat("a", 2000)},
		{"a shorter length", Rules{MaxLength: 3}, content("abcd"), ""},
		{"no length", Rules{MaxLength: -1}, content(strings.Repeat("a", 5000)), strings.Repeat("a", 5000)},
		{"64 KB of data", Rules{}, with(func(m *Message) { m.Data = make([]byte, 64<<10) }), "hello"},
		{"more data", Rules{}, with(func(m *Message) { m.Data = make([]byte, 64<<10+1) }), ""},
		{"any data", Rules{MaxData: -1}, with(func(m *Message) { m.Data = make([]byte, 1<<20) }), "hello"},
		{"100 mentions", Rules{}, content(strings.TrimSpace(strings.Repeat("<@1> ", 100))), strings.TrimSpace(strings.Repeat("<@1> ", 100))},
		{"101 mentions", Rules{}, content(strings.Repeat("<@1> ", 101)), ""},
		{"two mentions of one", Rules{MaxMentions: 1}, content("<@1> <@2>"), ""},
		{"no channel", Rules{}, with(func(m *Message) { m.Channel = "" }), ""},
		{"a long channel", Rules{}, with(func(m *Message) { m.Channel = strings.Repeat("a", 129) }), ""},
		{"a long author", Rules{}, with(func(m *Message) { m.Author = strings.Repeat("a", 129) }), ""},
		{"a long nonce", Rules{}, with(func(m *Message) { m.Nonce = strings.Repeat("a", 129) }), ""},
		{"names of 128 bytes", Rules{}, with(func(m *Message) {
			m.Nonce, m.Author, m.Channel = strings.Repeat("a", 128), strings.Repeat("a", 128), strings.Repeat("a", 128)
		}), "hello"},
		{"any names", Rules{MaxName: -1}, with(func(m *Message) { m.Nonce = strings.Repeat("a", 1000) }), "hello"},
		{"a nonce that is no text", Rules{}, with(func(m *Message) { m.Nonce = "\xff" }), ""},
		{"a NUL in an author", Rules{}, with(func(m *Message) { m.Author = "a\x00" }), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := tt.m
			err := tt.rules.Check(t.Context(), &m)
			if tt.want == "" {
				if refusal := wantRefusal(t, err, CodeInvalid); refusal.RetryAfter != 0 || refusal.Message == "" {
					t.Errorf("%+v", refusal)
				}
				return
			}
			if err != nil || m.Content != strings.Replace(tt.want, "allowed", "", 1) {
				t.Errorf("%.100q, %v", m.Content, err)
			}
		})
	}
}

func TestWords(t *testing.T) {
	for text, want := range map[string]string{
		"":                            "",
		" .,!🦊 ":                      "",
		"Hello, hello WORLD":          "hello world",
		"don't e-mail x_y":            "don e mail t x y",
		"ÄÖ ä\u0308 straße":           "straße äö ä\u0308",
		"हिन्दी 頻道 42":                "42 हिन्दी 頻道",
		strings.Repeat("a", 65):       strings.Repeat("a", 64),
		"x" + strings.Repeat("é", 40): "x" + strings.Repeat("é", 31),
	} {
		if got := strings.Join(Words(text), " "); got != want {
			t.Errorf("Words(%q) = %q, want %q", text, got, want)
		}
	}
}
