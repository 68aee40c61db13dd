package messagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// texts and, in lower case, some words that they have.
var texts = []struct{ content, words string }{
	{"The runners were RUNNING, not to be or is a", "the runners were running not to be or is a"},
	{"Straße ÉCOLE école Ünïcödé", "straße école ünïcödé"},
	{"cafe\u0301 crème", "cafe\u0301 crème"},
	{"Привет МИР", "привет мир"},
	{"שלום 頻道で ok", "שלום 頻道で ok"},
	{"हिन्दी भाषा", "हिन्दी भाषा"},
	{"don't e-mail ann@example.com/a_b #7 c++", "don t e mail ann example com a b 7 c"},
	{"v1.2.3 42 007 x1y2 ٣", "v1 2 3 42 007 x1y2 ٣"},
	{"line\nfeed\ttab\u00a0space\u3000wide—dash…", "line feed tab space wide dash"},
	{"<b>bold</b> **strong** `code` ||spoiler|| fox🦊y", "b bold strong code spoiler fox y"},
	{strings.Repeat("é", 40), strings.Repeat("é", 32)},
}

func addTexts(ctx context.Context, x message.Index) error {
	var all []message.Message
	for i, t := range texts {
		all = append(all, text("7", i, t.content))
	}
	return x.Add(ctx, all)
}

func words(ctx context.Context, x message.Index) error {
	err := addTexts(ctx, x)
	for i, t := range texts {
		for _, word := range append(strings.Fields(t.words), t.words, t.content) {
			err = errors.Join(err, contains(ctx, x, word, i), contains(ctx, x, strings.ToUpper(word), i))
		}
	}
	return err
}

// contains reports a text that is not found by what it should be found by.
func contains(ctx context.Context, x message.Index, by string, i int) error {
	s := message.Search{Text: by, After: id(i - 1), Before: id(i + 1)}
	return finds(ctx, x, s, fmt.Sprintf("7/%d ", i))
}

func otherWords(ctx context.Context, x message.Index) error {
	err := addTexts(ctx, x)
	for _, word := range []string{
		"run", "runner", "wer", "runn", // stems and beginnings
		"strasse", "ecole", "unicode", "cafe", "café", "creme", // other letters
		"頻", "道", "頻道", // parts
		"dont", "email", "examplecom", "ab", // what is parted
		"1y2", "00", "7th", "v1x", // figures
		strings.Repeat("é", 31),
		"ann example missing",
	} {
		err = errors.Join(err, finds(ctx, x, search(word), ""))
	}
	return err
}

func operators(ctx context.Context, x message.Index) error {
	err := x.Add(ctx, []message.Message{
		text("7", 1, "apple"), text("7", 2, "pear"), text("7", 3, "apple pear"), text("7", 4, "apple and pear or not near content"),
		text("7", 5, "pear apple"), text("7", 6, "apples pearls"),
	})
	const both = "7/5 7/4 7/3 "
	for _, s := range []struct{ text, want string }{
		{"apple AND pear", "7/4 "}, {"apple OR pear", "7/4 "}, {"apple NOT pear", "7/4 "}, {"NOT", "7/4 "}, {"AND OR", "7/4 "}, {"or", "7/4 "},
		{"apple NEAR pear", "7/4 "}, {"NEAR(apple pear, 2)", ""}, {"content:apple", "7/4 "}, {"content : pear", "7/4 "},
		{`"apple pear"`, both}, {`"pear apple`, both}, {`""apple"" pear"`, both}, {"'apple' 'pear", both},
		{"apple* pear*", both}, {"*apple pear", both}, {"appl*", ""}, {"app?e", ""}, {"appl%", ""}, {"appl_", ""},
		{"apple -pear", both}, {"-apple pear", both}, {"+apple +pear", both}, {"!apple pear", both}, {"apple & pear", both},
		{"apple | pear", both}, {"apple & !pear", both}, {"apple <-> pear", both}, {"(apple pear", both}, {"apple) pear", both}, {"{apple} [pear]", both},
		{"^apple pear", both}, {"apple~1 pear^2", ""}, {"apple~ pear^", both}, {`apple\ pear\`, both}, {"apple:* pear:B", ""}, {"apple:pear", both},
		{"apple; pear --", both}, {"@apple #pear $", both}, {"apple pear /* */", both}, {"apple\x00pear", both},
	} {
		err = errors.Join(err, finds(ctx, x, search(s.text), s.want))
	}
	return err
}

func allWords(ctx context.Context, x message.Index) error {
	return errors.Join(
		x.Add(ctx, []message.Message{text("7", 1, "red green"), text("7", 2, "green blue"), text("7", 3, "blue green red"), text("7", 4, "red red red")}),
		finds(ctx, x, search("red"), "7/4 7/3 7/1 "),
		finds(ctx, x, search("red green"), "7/3 7/1 "),
		finds(ctx, x, search("green green RED"), "7/3 7/1 "),
		finds(ctx, x, search("blue red green"), "7/3 "),
		finds(ctx, x, search("red yellow"), ""))
}
