package message

import (
	"slices"
	"strings"
	"unicode"
)

// maxWord is how much of a word counts, in bytes.
const maxWord = 64

// Words returns the words of a text, each once, sorted: runs of letters, marks and digits, in
// lower case, of which the first 64 bytes count. It is how an [Index] reads what it is given and
// what it is asked for, so that all of them find the same. Languages that do not part their
// words by spaces need an Index of their own.
func Words(text string) []string {
	words := strings.FieldsFunc(text, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.IsMark(r)
	})
	for i, w := range words {
		words[i] = cut(strings.ToLower(w))
	}
	slices.Sort(words)
	return slices.Compact(words)
}

// cut shortens a word to whole runes.
func cut(w string) string {
	if len(w) <= maxWord {
		return w
	}
	n := maxWord
	for n > 0 && w[n]&0xc0 == 0x80 {
		n--
	}
	return w[:n]
}
