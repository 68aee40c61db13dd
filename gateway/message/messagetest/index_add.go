package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func addFinds(ctx context.Context, x message.Index) error {
	return errors.Join(
		x.Add(ctx, nil),
		x.Add(ctx, []message.Message{text("7", 1, "good morning"), text("8", 2, "Good evening, Ann!"), text("7", 3, "")}),
		finds(ctx, x, search("good"), "8/2 7/1 "),
		finds(ctx, x, search("morning"), "7/1 "),
		finds(ctx, x, search("ann"), "8/2 "),
		finds(ctx, x, search("night"), ""))
}

func addReplaces(ctx context.Context, x message.Index) error {
	first := []message.Message{text("7", 1, "good morning"), text("8", 1, "good morning")}
	return errors.Join(
		x.Add(ctx, first), x.Add(ctx, first),
		finds(ctx, x, search("morning"), "7/1 8/1 "),
		x.Add(ctx, []message.Message{text("7", 1, "good evening")}),
		finds(ctx, x, search("evening"), "7/1 "),
		finds(ctx, x, search("morning"), "8/1 "),
		x.Add(ctx, []message.Message{text("7", 1, ""), text("8", 1, "🦊")}),
		finds(ctx, x, search("good"), ""))
}

func addMany(ctx context.Context, x message.Index) error {
	const n = 1000
	var all []message.Message
	for i := range n {
		all = append(all, text(fmt.Sprint(i%7), i, fmt.Sprintf("common number%d", i)))
	}
	err := x.Add(ctx, all)
	for i := 0; i < n; i += 111 {
		err = errors.Join(err, finds(ctx, x, search(fmt.Sprintf("NUMBER%d common", i)), fmt.Sprintf("%d/%d ", i%7, i)))
	}
	return err
}

func addLong(ctx context.Context, x message.Index) error {
	var words []string
	for i := range 600 {
		words = append(words, fmt.Sprintf("w%d", i))
	}
	err := x.Add(ctx, []message.Message{
		text("7", 1, strings.Join(words, " ")),
		text("7", 2, strings.Repeat("x", 3000)),
		text("7", 3, strings.Repeat("🦊 fox ", 600)),
	})
	return errors.Join(err,
		finds(ctx, x, search("w0"), "7/1 "),
		finds(ctx, x, search("w599"), "7/1 "),
		finds(ctx, x, search(strings.Join(words[100:150], " ")), "7/1 "),
		finds(ctx, x, search(strings.Repeat("x", 2000)), "7/2 "), // of a word, the first 64 bytes count
		finds(ctx, x, search(strings.Repeat("x", 63)), ""),
		finds(ctx, x, search(strings.Repeat("fox ", 400)), "7/3 "))
}

func addLeavesBatch(ctx context.Context, x message.Index) error {
	mixed := []message.Message{full("7", 3), full("7", 1), full("8", 2)}
	before := slices.Clone(mixed)
	err := errors.Join(x.Add(ctx, mixed), finds(ctx, x, search("message"), "7/3 8/2 7/1 "))
	return errors.Join(err, allSame(mixed, before))
}

func remove(ctx context.Context, x message.Index) error {
	return errors.Join(
		x.Add(ctx, append(batch("7", 1, 5), batch("8", 1, 1)...)),
		finds(ctx, x, search("message 1"), "7/1 8/1 "),
		x.Remove(ctx, "7", id(1), id(4), id(2)),
		finds(ctx, x, search("message"), "7/5 7/3 8/1 "),
		finds(ctx, x, search("1"), "8/1 "))
}

func removeUnknown(ctx context.Context, x message.Index) error {
	return errors.Join(
		x.Add(ctx, batch("7", 1, 2)),
		x.Remove(ctx, "7", id(9)), x.Remove(ctx, "none", id(1)), x.Remove(ctx, "7"),
		x.Remove(ctx, "7", id(8), id(2), id(2), id(7)),
		finds(ctx, x, search("message"), "7/1 "))
}

func removeAndAdd(ctx context.Context, x message.Index) error {
	return errors.Join(
		x.Add(ctx, batch("7", 1, 2)), x.Remove(ctx, "7", ids(1, 2)...),
		finds(ctx, x, search("message"), ""),
		x.Add(ctx, batch("7", 2, 2)),
		finds(ctx, x, search("message"), "7/2 "))
}

func indexConcurrent(ctx context.Context, x message.Index) error {
	const writers, each = 8, 10
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				n := i*writers + w
				_, e1 := x.Search(ctx, message.Search{Text: "message", Limit: 10})
				errs[w] = errors.Join(errs[w], e1,
					x.Add(ctx, []message.Message{said("7", n), said("shared", i)}), // as the others do
					x.Add(ctx, batch("gone", n, n)),
					x.Remove(ctx, "gone", id(n)))
			}
		})
	}
	wg.Wait()
	want, shared := "", ""
	for n := writers*each - 1; n >= 0; n-- {
		want += fmt.Sprintf("7/%d ", n)
	}
	for n := each - 1; n >= 0; n-- {
		shared += fmt.Sprintf("shared/%d ", n)
	}
	in := func(channel string) message.Search {
		return message.Search{Text: "message", Channels: []string{channel}}
	}
	return errors.Join(errors.Join(errs...), finds(ctx, x, in("7"), want), finds(ctx, x, in("shared"), shared), finds(ctx, x, in("gone"), ""))
}
