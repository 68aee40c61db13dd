package messagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// full is a message with something in every field.
func full(channel string, n int) message.Message {
	m := said(channel, n)
	m.Author, m.Nonce = fmt.Sprint("author ", n), fmt.Sprint("nonce ", n)
	for b := range 256 {
		m.Data = append(m.Data, byte(b+n))
	}
	m.Edited = start.Add(time.Duration(n)*time.Minute + 123*time.Millisecond).In(time.FixedZone("", 3600))
	return m
}

// keeps appends messages and reports what the channel has then, if it is not these.
func keeps(ctx context.Context, s message.Store, channel string, batch ...message.Message) error {
	return errors.Join(during("Append", s.Append(ctx, channel, batch)), holds(ctx, s, channel, batch...))
}

func appendKeepsEverything(ctx context.Context, s message.Store) error {
	bare := message.Message{ID: id(3), Channel: "7"}
	empty := said("7", 4)
	empty.Data = []byte{}
	return keeps(ctx, s, "7", full("7", 1), full("7", 2), bare, empty)
}

func appendTexts(ctx context.Context, s message.Store) error {
	var all []message.Message
	for i, text := range []string{
		" ", "a\nb\n", "\ttab ", "tail ", `\ " ' ' %s %d $1 ? :a {} [] -- /* ; \x00 \u0000`, "null", "NaN", "0x", "ä", "a\u0308",
		"🦊👩‍👩‍👧‍👦🇨🇭", "שלום \u202eעולם\u202c", "\u200b\ufeff\ufffd\U0010ffff", strings.Join(oddNames, " "),
	} {
		m := said("7", i)
		m.Content, m.Author, m.Nonce, m.Data = text, "author"+text, "nonce"+text, []byte(text)
		all = append(all, m)
	}
	return keeps(ctx, s, "7", all...)
}

func appendLarge(ctx context.Context, s message.Store) error {
	m := said("7", 1)
	m.Content = strings.Repeat("🦊", 2000)
	m.Data = bytes.Repeat([]byte{0, 255, '\'', '\\'}, 16<<10)
	m.Author, m.Nonce = strings.Repeat("a", 128), strings.Repeat("🦊", 32)
	return keeps(ctx, s, "7", m)
}

func appendKeepsChannelsApart(ctx context.Context, s message.Store) error {
	var err error
	in := func(i int, name string) []message.Message { // some with the ids of others
		two := batch(name, i/3, i/3+1)
		two[0].Content, two[1].Content = fmt.Sprint("first of ", i), fmt.Sprint("second of ", i)
		return two
	}
	for i, name := range oddNames {
		err = errors.Join(err, during(fmt.Sprintf("channel %q", name), s.Append(ctx, name, in(i, name))))
	}
	for i, name := range oddNames {
		err = errors.Join(err, holds(ctx, s, name, in(i, name)...))
	}
	return err
}

func appendAgain(ctx context.Context, s message.Store) error {
	other := said("7", 1)
	other.Content, other.Author = "something else", "bob"
	return errors.Join(
		s.Append(ctx, "7", []message.Message{full("7", 1)}),
		during("again", s.Append(ctx, "7", []message.Message{full("7", 1)})),
		during("with other fields", s.Append(ctx, "7", []message.Message{other})),
		holds(ctx, s, "7", full("7", 1)))
}

func appendAgainAfterEdit(ctx context.Context, s message.Store) error {
	edited := full("7", 2)
	edited.Content, edited.Data, edited.Edited = "edited", nil, start.Add(time.Hour)
	all := []message.Message{full("7", 1), full("7", 2), full("7", 3)}
	return errors.Join(
		s.Append(ctx, "7", all),
		s.Edit(ctx, edited),
		during("again", s.Append(ctx, "7", all)),
		holds(ctx, s, "7", all[0], edited, all[2]))
}

func appendAgainMixed(ctx context.Context, s message.Store) error {
	return errors.Join(filled(ctx, s, "7", 3, 5), filled(ctx, s, "7", 1, 8), holds(ctx, s, "7", batch("7", 1, 8)...))
}

func appendDeleted(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 3)
	_, e1 := s.Delete(ctx, "7", id(2))
	err = errors.Join(err, e1, during("again", s.Append(ctx, "7", batch("7", 2, 2))))
	switch got, e2 := page(ctx, s, "7", message.Query{Limit: 9}); {
	case e2 != nil:
		return errors.Join(err, e2)
	case got != "1 2 3" && got != "1 3":
		return errors.Join(err, expect("page", got, "1 2 3"))
	}
	return err
}

func appendEmpty(ctx context.Context, s message.Store) error {
	return errors.Join(s.Append(ctx, "7", nil), s.Append(ctx, "7", []message.Message{}), holds(ctx, s, "7"))
}

// long is more messages than a statement of eight parameters each can have in databases that
// count them with 16 bits.
const long = 9000

func appendLong(ctx context.Context, s message.Store) error {
	all := batch("7", 1, long)
	if err := s.Append(ctx, "7", all); err != nil {
		return err
	}
	for first := 0; first < long; first += message.MaxPage {
		got, err := s.Page(ctx, "7", message.Query{After: id(first), Limit: message.MaxPage})
		if err := errors.Join(err, allSame(got, all[first:first+message.MaxPage])); err != nil {
			return fmt.Errorf("after number %d: %w", first, err)
		}
	}
	return nil
}

func appendOlder(ctx context.Context, s message.Store) error {
	mixed := []message.Message{said("7", 6), said("7", 1), said("7", 4)}
	return errors.Join(
		s.Append(ctx, "7", mixed), filled(ctx, s, "7", 5, 5), filled(ctx, s, "7", 2, 3),
		holds(ctx, s, "7", batch("7", 1, 6)...))
}

func appendLeavesBatch(ctx context.Context, s message.Store) error {
	mixed := []message.Message{full("7", 3), full("7", 1), full("7", 2)}
	before := slices.Clone(mixed)
	for i := range before {
		before[i].Data = bytes.Clone(before[i].Data)
	}
	edited := said("7", 1)
	edited.Data = bytes.Repeat([]byte{7}, 256)
	_, err := s.Page(ctx, "7", message.Query{Limit: 9})
	err = errors.Join(err, s.Append(ctx, "7", mixed), s.Edit(ctx, edited))
	return errors.Join(err, allSame(mixed, before))
}
