package message

import (
	"context"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Rules are what most applications ask of a message. The zero value has the defaults named
// beside each field; a negative value switches a rule off.
type Rules struct {
	MaxLength   int  // characters of Content: 2,000, as on Discord
	MaxData     int  // bytes of Data: 65,536
	MaxMentions int  // of the form <@id>, in Content: 100
	MaxName     int  // bytes of Channel, Author and Nonce each: 128
	AllowEmpty  bool // Content may be empty, or white space
}

// Check refuses a message that breaks a rule: *Refusal with CodeInvalid. Content is UTF-8, and
// has no control characters but tab and line feed; carriage returns before a line feed, and
// white space around it all, are cut off.
func (r Rules) Check(_ context.Context, m *Message) error {
	for _, name := range []struct{ what, is string }{{"channel", m.Channel}, {"author", m.Author}, {"nonce", m.Nonce}} {
		if over(len(name.is), r.MaxName, 128) {
			return invalid("the %s has %d bytes", name.what, len(name.is))
		}
		if !utf8.ValidString(name.is) || strings.ContainsRune(name.is, 0) {
			return invalid("the %s is not text", name.what)
		}
	}
	if m.Channel == "" {
		return invalid("it names no channel")
	}
	plain := isPlain(m.Content)
	if !plain {
		if !utf8.ValidString(m.Content) {
			return invalid("it is not UTF-8")
		}
		m.Content = strings.ReplaceAll(m.Content, "\r\n", "\n")
	}
	m.Content = strings.TrimSpace(m.Content)
	n := len(m.Content)
	if !plain {
		n = utf8.RuneCountInString(m.Content)
	}
	switch {
	case n == 0 && !r.AllowEmpty:
		return invalid("it is empty")
	case over(n, r.MaxLength, 2000):
		return invalid("it has %d characters", n)
	case over(len(m.Data), r.MaxData, 64<<10):
		return invalid("its data has %d bytes", len(m.Data))
	case over(strings.Count(m.Content, "<@"), r.MaxMentions, 100):
		return invalid("it mentions %d times", strings.Count(m.Content, "<@"))
	}
	if plain {
		return nil
	}
	if i := strings.IndexFunc(m.Content, forbidden); i >= 0 {
		return invalid("it has a control character at byte %d", i)
	}
	return nil
}

// isPlain reports whether a text is printable ASCII and spaces, as most are: each byte is a
// character that may be there.
func isPlain(text string) bool {
	for i := range len(text) {
		if b := text[i]; (b < ' ' && b != '\n' && b != '\t') || b > '~' {
			return false
		}
	}
	return true
}

func forbidden(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }

// over reports whether n is beyond a limit, which is fallback where it is zero.
func over(n, limit, fallback int) bool {
	if limit == 0 {
		limit = fallback
	}
	return limit >= 0 && n > limit
}

func invalid(format string, args ...any) error {
	return &Refusal{Code: CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
