package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// addMixed adds messages 1 to 12: of channels 7, 8 and 9 in turn, of ann and bob in turn.
func addMixed(ctx context.Context, x message.Index) error {
	var all []message.Message
	for n := 1; n <= 12; n++ {
		m := said([]string{"9", "7", "8"}[n%3], n)
		m.Author = []string{"ann", "bob"}[n%2]
		all = append(all, m)
	}
	return x.Add(ctx, all)
}

func searchChannels(ctx context.Context, x message.Index) error {
	in := func(channels ...string) message.Search {
		return message.Search{Text: "message", Channels: channels}
	}
	many := []string{"7"}
	for i := range 200 {
		many = append(many, fmt.Sprint("none ", i))
	}
	return errors.Join(addMixed(ctx, x),
		finds(ctx, x, in("7"), "7/10 7/7 7/4 7/1 "),
		finds(ctx, x, in("7", "9"), "9/12 7/10 9/9 7/7 9/6 7/4 9/3 7/1 "),
		finds(ctx, x, in("7", "7"), "7/10 7/7 7/4 7/1 "),
		finds(ctx, x, in("none"), ""),
		finds(ctx, x, in(many...), "7/10 7/7 7/4 7/1 "),
		finds(ctx, x, in(), "9/12 8/11 7/10 9/9 8/8 7/7 9/6 8/5 7/4 9/3 8/2 7/1 "))
}

func searchAuthor(ctx context.Context, x message.Index) error {
	nobody := said("7", 13)
	nobody.Author = ""
	return errors.Join(addMixed(ctx, x), x.Add(ctx, []message.Message{nobody}),
		finds(ctx, x, message.Search{Text: "message", Author: "ann"}, "9/12 7/10 8/8 9/6 7/4 8/2 "),
		finds(ctx, x, message.Search{Text: "message", Author: "cid"}, ""),
		finds(ctx, x, message.Search{Text: "13"}, "7/13 "))
}

func searchBetween(ctx context.Context, x message.Index) error {
	between := func(after, before message.ID) message.Search {
		return message.Search{Text: "message", After: after, Before: before}
	}
	return errors.Join(addMixed(ctx, x),
		finds(ctx, x, between(id(3), id(7)), "9/6 8/5 7/4 "),
		finds(ctx, x, between(id(10), 0), "9/12 8/11 "),
		finds(ctx, x, between(0, id(3)), "8/2 7/1 "),
		finds(ctx, x, between(id(3)-1, id(4)+1), "7/4 9/3 "),
		finds(ctx, x, between(id(4), id(5)), ""),
		finds(ctx, x, between(id(7), id(3)), ""))
}

func searchFilters(ctx context.Context, x message.Index) error {
	return errors.Join(addMixed(ctx, x), x.Add(ctx, []message.Message{text("7", 20, "hello")}),
		finds(ctx, x, message.Search{Text: "message", Channels: []string{"7", "8"}, Author: "ann", After: id(2), Before: id(10)}, "8/8 7/4 "),
		finds(ctx, x, message.Search{Text: "message", Channels: []string{"7", "8"}, Author: "ann", After: id(2), Before: id(10), Limit: 1}, "8/8 "),
		finds(ctx, x, message.Search{Text: "message", Channels: []string{"7", "8"}, Author: "bob", Before: id(10), Limit: 1}, "7/7 "))
}

func searchNames(ctx context.Context, x message.Index) error {
	var all []message.Message
	for n, name := range oddNames {
		m := said(name, n)
		m.Author = oddNames[len(oddNames)-1-n]
		all = append(all, m)
	}
	err := x.Add(ctx, all)
	for n, m := range all {
		want := fmt.Sprintf("%s/%d ", m.Channel, n)
		err = errors.Join(err,
			finds(ctx, x, message.Search{Text: "message", Channels: []string{m.Channel}}, want),
			finds(ctx, x, message.Search{Text: "message", Author: m.Author}, want))
	}
	for _, m := range all[1:] {
		err = errors.Join(err, x.Remove(ctx, m.Channel, m.ID))
	}
	return errors.Join(err, finds(ctx, x, search("message"), all[0].Channel+"/0 "))
}

func searchNewest(ctx context.Context, x message.Index) error {
	var all []message.Message
	want := ""
	for n := range 30 { // added out of order, and as relevant as they are different
		content := "word"
		for range n * 7 % 5 {
			content += " word and much else"
		}
		all = append(all, text(fmt.Sprint(n%4), n, content))
		want = fmt.Sprintf("%d/%d ", n%4, n) + want
	}
	slices.SortFunc(all, func(a, b message.Message) int { return number(a.ID)*17%31 - number(b.ID)*17%31 })
	return errors.Join(x.Add(ctx, all[:9]), x.Add(ctx, all[9:]), finds(ctx, x, search("word"), want))
}

func searchLimit(ctx context.Context, x message.Index) error {
	limited := func(limit int) message.Search { return message.Search{Text: "message", Limit: limit} }
	err := x.Add(ctx, batch("7", 1, message.MaxHits+2))
	most := ""
	for n := message.MaxHits + 2; n > 2; n-- {
		most += fmt.Sprintf("7/%d ", n)
	}
	return errors.Join(err, finds(ctx, x, limited(1), "7/102 "), finds(ctx, x, limited(3), "7/102 7/101 7/100 "), finds(ctx, x, limited(message.MaxHits), most))
}

func searchPages(ctx context.Context, x message.Index) error {
	const n = 25
	if err := errors.Join(x.Add(ctx, batch("7", 1, n)), finds(ctx, x, search("message 1"), "7/1 ")); err != nil {
		return err
	}
	s := message.Search{Text: "message", Limit: 10}
	for newest := n; newest > 0; newest -= s.Limit {
		want := ""
		for i := newest; i > max(0, newest-s.Limit); i-- {
			want += fmt.Sprintf("7/%d ", i)
		}
		if err := finds(ctx, x, s, want); err != nil {
			return err
		}
		s.Before = id(max(1, newest-s.Limit+1))
	}
	return finds(ctx, x, s, "")
}

func searchExtremes(ctx context.Context, x message.Index) error {
	var all []message.Message
	for _, id := range []message.ID{1, 2, 1<<53 + 1, 1 << 62, 1<<62 + 1, 1<<63 - 2, 1<<63 - 1} {
		all = append(all, message.Message{ID: id, Channel: "7", Content: "word"})
	}
	err := x.Add(ctx, all)
	err = errors.Join(err, finds(ctx, x, message.Search{Text: "word", Limit: 7}, places(hitsOf(all))))
	for i, m := range all {
		err = errors.Join(err, exactly(ctx, x, message.Search{Text: "word", Before: m.ID, Limit: 9}, all[:i]),
			exactly(ctx, x, message.Search{Text: "word", After: m.ID, Limit: 9}, all[i+1:]))
	}
	return err
}

// hitsOf are messages as a search finds them: the newest first.
func hitsOf(messages []message.Message) []message.Hit {
	var hits []message.Hit
	for _, m := range slices.Backward(messages) {
		hits = append(hits, message.Hit{Channel: m.Channel, ID: m.ID})
	}
	return hits
}

func exactly(ctx context.Context, x message.Index, s message.Search, want []message.Message) error {
	hits, err := x.Search(ctx, s)
	return errors.Join(err, expect(fmt.Sprintf("hits of %+v", s), hits, hitsOf(want)))
}

func searchQuery(ctx context.Context, x message.Index) error {
	err := x.Add(ctx, batch("7", 1, 3))
	for _, s := range []message.Search{
		{Text: "message"}, {Text: "message", Limit: -1}, {Text: "message", Limit: message.MaxHits + 1},
		{Limit: 10}, {Text: " \n", Limit: 10}, {Text: `"* -`, Limit: 10}, {Text: "🦊", Limit: 10}, {Author: "ann", Limit: 10},
	} {
		_, e := x.Search(ctx, s)
		err = errors.Join(err, wanted(fmt.Sprintf("%+v", s), e, message.ErrQuery))
	}
	return err
}
