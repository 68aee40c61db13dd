package messagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// check is a case of a kit, for one sentence of a contract: it returns what it saw if the
// sentence is broken.
type check[T any] struct {
	name, rule string
	run        func(ctx context.Context, subject T) error
}

// runKit runs every case on something that open has just made.
func runKit[T any](t *testing.T, what string, cases []check[T], open func(t testing.TB) T) {
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("the %s breaks its contract:\n  %s\n%v", what, c.rule, err)
			}
		})
	}
}

// start is when the messages of the cases begin: number n is n seconds later.
var start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// id is that of message number n, given by node 7.
func id(n int) message.ID { return message.At(start.Add(time.Duration(n)*time.Second)) | 7<<12 }

func number(id message.ID) int { return int(id.Time().Sub(start) / time.Second) }

// ids are those of the numbers from first to last.
func ids(first, last int) []message.ID {
	var list []message.ID
	for n := first; n <= last; n++ {
		list = append(list, id(n))
	}
	return list
}

// said is message number n of a channel.
func said(channel string, n int) message.Message {
	return message.Message{ID: id(n), Channel: channel, Author: "ann", Content: fmt.Sprint("message ", n)}
}

// batch is the messages from number first to number last.
func batch(channel string, first, last int) []message.Message {
	list := make([]message.Message, 0, max(0, last-first+1))
	for n := first; n <= last; n++ {
		list = append(list, said(channel, n))
	}
	return list
}

// numbers shows ids as "1 2 3".
func numbers(ids []message.ID) string {
	text := make([]string, len(ids))
	for i, id := range ids {
		text[i] = fmt.Sprint(number(id))
	}
	return strings.Join(text, " ")
}

// idsOf are the ids of messages.
func idsOf(page []message.Message) []message.ID {
	list := make([]message.ID, len(page))
	for i, m := range page {
		list[i] = m.ID
	}
	return list
}

func expect(what string, got, want any) error {
	g, w := fmt.Sprint(got), fmt.Sprint(want)
	if g == w {
		return nil
	}
	same := 0 // long texts are shown from shortly before they differ
	for same < min(len(g), len(w)) && g[same] == w[same] {
		same++
	}
	from := max(0, same-40)
	if from > 0 {
		what += fmt.Sprintf(" from byte %d on", from)
	}
	return fmt.Errorf("%s: got %.200q, want %.200q", what, g[from:], w[from:])
}

// same says in which fields two messages differ. Empty Data is nothing, as nil is, and times
// count to the millisecond.
func same(got, want message.Message) error {
	edited := func(m message.Message) string {
		if m.Edited.IsZero() {
			return "never"
		}
		return m.Edited.UTC().Format("2006-01-02T15:04:05.000")
	}
	return errors.Join(
		expect("ID", got.ID, want.ID),
		expect("Channel", got.Channel, want.Channel),
		expect("Author", got.Author, want.Author),
		expect("Content", got.Content, want.Content),
		expect("Data", string(got.Data), string(want.Data)),
		expect("Nonce", got.Nonce, want.Nonce),
		expect("Edited", edited(got), edited(want)),
	)
}

// allSame compares messages, in order.
func allSame(got, want []message.Message) error {
	if err := expect("ids", idsOf(got), idsOf(want)); err != nil {
		return err
	}
	for i := range got {
		if err := same(got[i], want[i]); err != nil {
			return fmt.Errorf("message %d of %d: %w", i, len(got), err)
		}
	}
	return nil
}

// wanted reports an error that is not the one that was expected.
func wanted(what string, got, want error) error {
	if !errors.Is(got, want) {
		return fmt.Errorf("%s: got the error %v, want one that wraps %q", what, got, want)
	}
	return nil
}

// during adds to an error what was being done, and leaves nil as it is.
func during(what string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// over returns contexts that have ended, by their errors.
func over(ctx context.Context) map[error]context.Context {
	canceled, cancel := context.WithCancel(ctx)
	cancel()
	late, cancel := context.WithDeadline(ctx, time.Now().Add(-time.Hour))
	cancel()
	return map[error]context.Context{context.Canceled: canceled, context.DeadlineExceeded: late}
}

// oddNames are channels, keys and authors that a careless backend mixes up or cannot keep: all
// are UTF-8 without NUL, and of at most 128 bytes, which is what message.Rules lets through.
var oddNames = []string{
	"a", "A", "aa", "a ", " a", "a:", "a:b", "a/b", "a.b", "a*", "a>", "a%", "a_", "a\\", "a'b", `a"b`, "a;--", "a\nb", "a\tb",
	"ä", "a\u0308", "ключ", "頻道", "🦊", "0", "00", "-1", "{a}", "$1", "?", "..", "%2e", "null",
	strings.Repeat("x", 128), strings.Repeat("x", 127), strings.Repeat("🦊", 32),
}
