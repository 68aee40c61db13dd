package server

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// id is a snowflake, of a message or of anything else, as [message.ID] has it. In
// JSON it is a string of digits.
type id uint64

func (i id) String() string { return strconv.FormatUint(uint64(i), 10) }

// MarshalText makes ids strings, also as keys.
func (i id) MarshalText() ([]byte, error) { return strconv.AppendUint(nil, uint64(i), 10), nil }

// UnmarshalText takes digits below 2^63. The error is a badID.
func (i *id) UnmarshalText(text []byte) error {
	n, err := strconv.ParseUint(string(text), 10, 63)
	if err != nil {
		return badID(text)
	}
	*i = id(n)
	return nil
}

// UnmarshalJSON takes strings and numbers: discord.py sends these. null changes nothing.
func (i *id) UnmarshalJSON(data []byte) error {
	if string(data) == "null" {
		return nil
	}
	return i.UnmarshalText(bytes.Trim(data, `"`))
}

// badID is text that is no snowflake.
type badID string

func (b badID) Error() string { return fmt.Sprintf("%q is no id", string(b)) }

// time is when the id was made.
func (i id) time() time.Time { return message.ID(i).Time() }

// snowflake reads an id that this chat has written; 0 if it is none.
func snowflake(text string) (i id) {
	if i.UnmarshalText([]byte(text)) != nil {
		return 0
	}
	return i
}

// userOf is who signs in with a token: the user with that id for one of the
// form base64(id).x.y, as Discord's are, else the user with that name, whose id
// derives from it.
func userOf(token string) (id, string, bool) {
	if i, ok := botOf(token); ok {
		return i, "user " + i.String(), true
	}
	name := strings.Join(strings.Fields(token), " ")
	if !goodName(name) {
		return 0, "", false
	}
	h := fnv.New64a()
	h.Write([]byte(strings.ToLower(name)))
	return id(h.Sum64()>>1 | 1<<40), name, true
}

// botOf is the user in a token of the form base64(id).x.y.
func botOf(token string) (i id, ok bool) {
	first, rest, _ := strings.Cut(token, ".")
	if !strings.Contains(rest, ".") {
		return 0, false
	}
	digits, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(first, "="))
	return i, err == nil && i.UnmarshalText(digits) == nil && i != 0
}

// maxName is how many characters a name may have.
const maxName = 32

// goodName refuses names that nobody could see, or that would turn the text
// around them (controls, zero-width characters); the joiner of emoji is fine.
func goodName(name string) bool {
	const joiner = '\u200d'
	hidden := func(r rune) bool { return !unicode.IsGraphic(r) && r != joiner }
	seen := func(r rune) bool { return unicode.In(r, unicode.L, unicode.N, unicode.P, unicode.S) }
	return utf8.RuneCountInString(name) <= maxName && !strings.ContainsFunc(name, hidden) && strings.ContainsFunc(name, seen)
}
