package messagetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Index tests an index. open returns an empty one for each case.
func Index(t *testing.T, open func(t testing.TB) message.Index) {
	runKit(t, "index", indexCases, open)
}

var indexCases = []check[message.Index]{
	{"AddFinds", "Add has messages found by the words of their Content, within a second at most.", addFinds},
	{"AddReplaces", "A message that is there already is replaced: so one that was edited is added again.", addReplaces},
	{"AddMany", "Add has messages found, however many.", addMany},
	{"AddLong", "Add has messages found by the words of their Content, however many words these are.", addLong},
	{"AddLeavesBatch", "Messages that are handed over are not changed by anybody afterwards.", addLeavesBatch},
	{"Words", "The words of a text are what message.Words gives: these are found.", words},
	{"OtherWords", "The words of a text are what message.Words gives: no others are found.", otherWords},
	{"Operators", "In a Search, too, the words are what message.Words gives: what means something to a search engine is a word, or nothing.", operators},
	{"AllWords", "A search looks for the messages that have all of the words of Text.", allWords},
	{"Channels", "A search looks for messages that are in one of the Channels, as far as these are given.", searchChannels},
	{"Author", "A search looks for messages of the Author, if one is given.", searchAuthor},
	{"Between", "A search looks for messages between the ids, as far as these are given.", searchBetween},
	{"Filters", "A search looks for messages for which all of it holds.", searchFilters},
	{"Names", "A search looks for messages in the Channels and of the Author, whatever their names are.", searchNames},
	{"Newest", "Search returns what it finds, newest first.", searchNewest},
	{"Limit", "Search returns at most Limit hits.", searchLimit},
	{"Pages", "The next page is Before the last id of this one.", searchPages},
	{"Extremes", "Search returns what it finds, whatever the ids are: 1 to 2^63-1.", searchExtremes},
	{"Remove", "Remove has messages of a channel found no more.", remove},
	{"RemoveUnknown", "Unknown ids are no error.", removeUnknown},
	{"RemoveAndAdd", "A message that was removed is found again when it is added again.", removeAndAdd},
	{"Query", "Search returns ErrQuery for a search that makes no sense.", searchQuery},
	{"Concurrent", "An implementation is safe for concurrent use.", indexConcurrent},
	{"Context", "Each method returns an error that wraps ctx.Err() when ctx has ended.", indexContext},
}

// atMost is how long an index may take to find what was added, and to forget what was removed.
const atMost = time.Second

// finds searches until the answer is as it should be, hits as "channel/number …", those of one id
// by channel, and reports what it is if that takes longer than an index may.
func finds(ctx context.Context, x message.Index, s message.Search, want string) error {
	if s.Limit == 0 {
		s.Limit = message.MaxHits
	}
	began := time.Now()
	for {
		asked := time.Since(began)
		hits, err := x.Search(ctx, s)
		if err != nil {
			return fmt.Errorf("search %+v: %w", s, err)
		}
		err = expect("hits", places(hits), want)
		if err == nil || asked >= atMost {
			return during(fmt.Sprintf("search %+v", s), err)
		}
		rest(ctx, 20*time.Millisecond)
	}
}

func places(hits []message.Hit) string {
	text := ""
	for i := range hits { // of one id, any order is right
		for j := i; j > 0 && hits[j-1].ID == hits[j].ID && hits[j-1].Channel > hits[j].Channel; j-- {
			hits[j-1], hits[j] = hits[j], hits[j-1]
		}
	}
	for _, h := range hits {
		text += fmt.Sprintf("%s/%d ", h.Channel, number(h.ID))
	}
	return text
}

// rest waits, unless ctx ends before that.
func rest(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}

// text is message number n of a channel, with a content.
func text(channel string, n int, content string) message.Message {
	m := said(channel, n)
	m.Content = content
	return m
}

func search(text string) message.Search { return message.Search{Text: text} }

func indexContext(ctx context.Context, x message.Index) error {
	err := x.Add(ctx, batch("7", 1, 3))
	for want, ctx := range over(ctx) {
		_, e := x.Search(ctx, message.Search{Text: "message", Limit: 1})
		err = errors.Join(err, wanted("Search", e, want), wanted("Add", x.Add(ctx, batch("7", 4, 4)), want), wanted("Remove", x.Remove(ctx, "7", id(1)), want))
	}
	return err
}
