package codec

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// CheckJSON reports whether data is exactly one JSON value (RFC 8259) in valid UTF-8 within l: nil, or
// an [*Error]. It allocates nothing, but for numbers with an exponent. A number beyond float64 is
// ErrNumber: it would decode into nothing, and has no form in MessagePack. As encoding/json does, it accepts an escaped half of a surrogate
// pair, which decodes to U+FFFD, and the same key twice in an object.
func CheckJSON(data []byte, l Limits) error {
	l = l.effective()
	c := jsonCheck{b: data, depth: l.Depth, str: l.String, elements: l.Elements}
	end, err := c.value(0, 0)
	if err != nil {
		return err
	}
	if end = space(data, end); end != len(data) {
		return badJSON(end, ErrTrailing)
	}
	return nil
}

// jsonCheck is one structural check: the input, the limits, and what is left of them.
type jsonCheck struct {
	b          []byte
	depth, str int
	elements   int // left
}

// value checks the value at b[i], after white space, inside depth containers, and returns its end.
func (c *jsonCheck) value(i, depth int) (int, error) {
	i = space(c.b, i)
	if i >= len(c.b) {
		return i, badJSON(i, ErrTruncated)
	}
	switch ch := c.b[i]; ch {
	case '"':
		return c.text(i)
	case '{', '[':
		return c.container(i, depth, ch == '{')
	case 't':
		return c.literal(i, "true")
	case 'f':
		return c.literal(i, "false")
	case 'n':
		return c.literal(i, "null")
	default:
		return c.number(i)
	}
}

func (c *jsonCheck) container(at, depth int, isObject bool) (int, error) {
	if depth >= c.depth {
		return at, badJSON(at, ErrDepth)
	}
	end := byte(']')
	if isObject {
		end = '}'
	}
	i := space(c.b, at+1)
	if i < len(c.b) && c.b[i] == end {
		return i + 1, nil
	}
	for {
		if c.elements--; c.elements < 0 {
			return i, badJSON(i, ErrElements)
		}
		var err error
		if isObject {
			if i, err = c.key(i); err != nil {
				return i, err
			}
		}
		if i, err = c.value(i, depth+1); err != nil {
			return i, err
		}
		i = space(c.b, i)
		switch {
		case i >= len(c.b):
			return i, badJSON(i, ErrTruncated)
		case c.b[i] == end:
			return i + 1, nil
		case c.b[i] != ',':
			return i, badJSON(i, ErrSyntax)
		}
		i = space(c.b, i+1)
	}
}

// key checks a member's name and the colon after it.
func (c *jsonCheck) key(i int) (int, error) {
	if i < len(c.b) && c.b[i] != '"' {
		return i, badJSON(i, ErrSyntax)
	}
	i, err := c.text(i)
	if err != nil {
		return i, err
	}
	i = space(c.b, i)
	switch {
	case i >= len(c.b):
		return i, badJSON(i, ErrTruncated)
	case c.b[i] != ':':
		return i, badJSON(i, ErrSyntax)
	}
	return i + 1, nil
}

// text checks the string that opens at b[at].
func (c *jsonCheck) text(at int) (int, error) {
	b := c.b
	for i := at + 1; i < len(b); {
		switch ch := b[i]; {
		case jsonPlain[ch]:
			i++
		case ch == '"':
			if i-at-1 > c.str {
				return at, badJSON(at, ErrString)
			}
			return i + 1, nil
		case ch == '\\':
			n, err := c.escape(i)
			if err != nil {
				return i, err
			}
			i += n
		case ch < ' ':
			return i, badJSON(i, ErrSyntax)
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				return i, badJSON(i, ErrUTF8)
			}
			i += n
		}
	}
	return len(b), badJSON(len(b), ErrTruncated)
}

// jsonPlain is true for the bytes that stand for themselves in a string: ASCII but for control
// characters, the quote and the backslash.
var jsonPlain = func() (t [256]bool) {
	for c := ' '; c < utf8.RuneSelf; c++ {
		t[c] = c != '"' && c != '\\'
	}
	return t
}()

// escape checks the escape sequence at b[i] and returns its length.
func (c *jsonCheck) escape(i int) (int, error) {
	if i+1 >= len(c.b) {
		return 0, badJSON(len(c.b), ErrTruncated)
	}
	switch c.b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'u':
		for j := i + 2; j < i+6; j++ {
			if j >= len(c.b) {
				return 0, badJSON(j, ErrTruncated)
			}
			if _, ok := hexDigit(c.b[j]); !ok {
				return 0, badJSON(j, ErrSyntax)
			}
		}
		return 6, nil
	}
	return 0, badJSON(i, ErrSyntax)
}

func hexDigit(c byte) (v rune, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return rune(c - '0'), true
	case 'a' <= c && c <= 'f':
		return rune(c-'a') + 10, true
	case 'A' <= c && c <= 'F':
		return rune(c-'A') + 10, true
	}
	return 0, false
}

func (c *jsonCheck) literal(at int, want string) (int, error) {
	for j := range len(want) {
		if at+j >= len(c.b) {
			return at, badJSON(at+j, ErrTruncated)
		}
		if c.b[at+j] != want[j] {
			return at, badJSON(at+j, ErrSyntax)
		}
	}
	return at + len(want), nil
}

// number checks a number: an optional minus, an integer without leading zeros, an optional fraction,
// an optional exponent.
func (c *jsonCheck) number(at int) (int, error) {
	i, ok := at, true
	if c.b[i] == '-' {
		i++
	}
	if i < len(c.b) && c.b[i] == '0' {
		i++
	} else if i, ok = digits(c.b, i); !ok {
		return at, c.missing(i)
	}
	if i < len(c.b) && c.b[i] == '.' {
		if i, ok = digits(c.b, i+1); !ok {
			return at, c.missing(i)
		}
	}
	if i < len(c.b) && c.b[i]|0x20 == 'e' {
		i++
		if i < len(c.b) && (c.b[i] == '+' || c.b[i] == '-') {
			i++
		}
		if i, ok = digits(c.b, i); !ok {
			return at, c.missing(i)
		}
	}
	if i-at > c.str {
		return at, badJSON(at, ErrString)
	}
	if tooLarge(c.b[at:i]) {
		return at, badJSON(at, ErrNumber)
	}
	return i, nil
}

// tooLarge reports whether a number is beyond float64, so that what was checked
// decodes and transcodes. Only an exponent or 309 digits can make it so.
func tooLarge(number []byte) bool {
	if len(number) < 309 && !bytes.ContainsAny(number, "eE") {
		return false
	}
	_, err := strconv.ParseFloat(string(number), 64)
	return err != nil
}

// missing is the refusal of what stands, or does not, where a digit is needed.
func (c *jsonCheck) missing(i int) error {
	if i >= len(c.b) {
		return badJSON(i, ErrTruncated)
	}
	return badJSON(i, ErrSyntax)
}

// digits returns the end of the digits at b[i], and whether there was one.
func digits(b []byte, i int) (end int, ok bool) {
	end = i
	for end < len(b) && '0' <= b[end] && b[end] <= '9' {
		end++
	}
	return end, end > i
}

// space returns where the white space at b[i] ends.
func space(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\t' || b[i] == '\r') {
		i++
	}
	return i
}

func badJSON(offset int, why error) error { return &Error{"json", offset, why} }
