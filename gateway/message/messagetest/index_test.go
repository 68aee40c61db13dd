package messagetest

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestMemoryIndex(t *testing.T) {
	Index(t, func(testing.TB) message.Index { return message.NewMemoryIndex() })
}

// brokenIndex is an index in which one sentence of the contract does not hold. What is not set is
// as it should be.
type brokenIndex struct {
	*message.MemoryIndex
	add    func(ctx context.Context, batch []message.Message) error
	remove func(ctx context.Context, channel string, ids []message.ID) error
	search func(ctx context.Context, s message.Search) ([]message.Hit, error)
}

func (b *brokenIndex) Add(ctx context.Context, batch []message.Message) error {
	if b.add != nil {
		return b.add(ctx, batch)
	}
	return b.MemoryIndex.Add(ctx, batch)
}

func (b *brokenIndex) Remove(ctx context.Context, channel string, ids ...message.ID) error {
	if b.remove != nil {
		return b.remove(ctx, channel, ids)
	}
	return b.MemoryIndex.Remove(ctx, channel, ids...)
}

func (b *brokenIndex) Search(ctx context.Context, s message.Search) ([]message.Hit, error) {
	if b.search != nil {
		return b.search(ctx, s)
	}
	return b.MemoryIndex.Search(ctx, s)
}

func brokeIndex(how func(x *message.MemoryIndex, b *brokenIndex)) func() message.Index {
	return func() message.Index {
		b := &brokenIndex{MemoryIndex: message.NewMemoryIndex()}
		how(b.MemoryIndex, b)
		return b
	}
}

// adding breaks each message that is added.
func adding(change func(m *message.Message)) func() message.Index {
	return brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
		b.add = func(ctx context.Context, batch []message.Message) error {
			batch = slices.Clone(batch)
			for i := range batch {
				change(&batch[i])
			}
			return x.Add(ctx, batch)
		}
	})
}

// searching breaks what is asked for.
func searching(change func(s *message.Search)) func() message.Index {
	return brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
		b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
			change(&s)
			return x.Search(ctx, s)
		}
	})
}

// finding breaks what is found.
func finding(change func(s message.Search, hits []message.Hit) ([]message.Hit, error)) func() message.Index {
	return brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
		b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
			hits, err := x.Search(ctx, s)
			if err != nil {
				return nil, err
			}
			return change(s, hits)
		}
	})
}

// reading breaks how texts are read, those that are added and those that are asked for.
func reading(read func(text string) string) func() message.Index {
	return brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
		b.add = func(ctx context.Context, batch []message.Message) error {
			batch = slices.Clone(batch)
			for i := range batch {
				batch[i].Content = read(batch[i].Content)
			}
			return x.Add(ctx, batch)
		}
		b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
			s.Text = read(s.Text)
			return x.Search(ctx, s)
		}
	})
}

// eachWord replaces each word of a text.
func eachWord(change func(word string) string) func(string) string {
	return func(text string) string {
		words := strings.Fields(text)
		for i, w := range words {
			words[i] = change(w)
		}
		return strings.Join(words, " ")
	}
}

func TestBrokenIndexes(t *testing.T) {
	proveKit(t, indexCases, []fake[message.Index]{
		{"AddFinds", "later", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(ctx context.Context, batch []message.Message) error {
				go func() {
					rest(ctx, 2*time.Second)
					x.Add(context.Background(), batch)
				}()
				return nil
			}
		})},
		{"AddFinds", "the first of a batch", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(ctx context.Context, batch []message.Message) error {
				return x.Add(ctx, batch[:min(len(batch), 1)])
			}
		})},
		{"AddReplaces", "the old words stay", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			old := make(map[message.Hit]string)
			b.add = func(ctx context.Context, batch []message.Message) error {
				batch = slices.Clone(batch)
				for i, m := range batch {
					at := message.Hit{Channel: m.Channel, ID: m.ID}
					old[at] += " " + m.Content
					batch[i].Content = old[at]
				}
				return x.Add(ctx, batch)
			}
		})},
		{"AddReplaces", "an error", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			there := make(map[message.Hit]bool)
			b.add = func(ctx context.Context, batch []message.Message) error {
				for _, m := range batch {
					at := message.Hit{Channel: m.Channel, ID: m.ID}
					if there[at] {
						return errors.New("duplicate key")
					}
					there[at] = true
				}
				return x.Add(ctx, batch)
			}
		})},
		{"AddMany", "a hundred", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(ctx context.Context, batch []message.Message) error {
				return x.Add(ctx, batch[:min(len(batch), 100)])
			}
		})},
		{"AddLong", "the first words", adding(func(m *message.Message) { m.Content = strings.Join(firstOf(strings.Fields(m.Content), 200), " ") })},
		{"AddLong", "beginnings of words", reading(eachWord(func(w string) string { return w[:min(len(w), 50)] }))},
		{"AddLong", "no long words", reading(eachWord(func(w string) string {
			if len(w) > 1000 {
				return ""
			}
			return w
		}))},
		{"AddLeavesBatch", "sorted in place", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(ctx context.Context, batch []message.Message) error {
				slices.SortFunc(batch, func(a, b message.Message) int { return number(a.ID) - number(b.ID) })
				return x.Add(ctx, batch)
			}
		})},
		{"Words", "stop words", reading(eachWord(func(w string) string {
			if slices.Contains([]string{"the", "is", "a"}, strings.ToLower(w)) {
				return ""
			}
			return w
		}))},
		{"Words", "upper case is another letter", reading(func(text string) string { return strings.ReplaceAll(text, "É", "Éé") })},
		{"Words", "ASCII", reading(func(text string) string {
			return strings.Map(func(r rune) rune {
				if r > 127 {
					return ' '
				}
				return r
			}, text)
		})},
		{"OtherWords", "stems", reading(eachWord(func(w string) string { return strings.TrimSuffix(strings.TrimSuffix(strings.ToLower(w), "s"), "er") }))},
		{"OtherWords", "bare letters", reading(func(text string) string { return strings.NewReplacer("é", "e", "É", "e", "è", "e").Replace(text) })},
		{"OtherWords", "composed", reading(func(text string) string { return strings.ReplaceAll(text, "e\u0301", "é") })},
		{"OtherWords", "signs are letters", reading(func(text string) string { return strings.NewReplacer("'", "", "-", "", "_", "").Replace(text) })},
		{"Operators", "AND and OR", searching(func(s *message.Search) { s.Text = strings.NewReplacer(" AND ", " ", " OR ", " ").Replace(s.Text) })},
		{"Operators", "minus", searching(func(s *message.Search) {
			s.Text = strings.Join(slices.DeleteFunc(strings.Fields(s.Text), func(w string) bool { return w[0] == '-' && len(w) > 1 }), " ")
		})},
		{"Operators", "open quotes", finding(func(s message.Search, hits []message.Hit) ([]message.Hit, error) {
			if strings.Count(s.Text, `"`)%2 == 1 {
				return nil, errors.New("syntax error")
			}
			return hits, nil
		})},
		{"Operators", "stars", searching(func(s *message.Search) { s.Text = strings.ReplaceAll(s.Text, "appl*", "apple") })},
		{"AllWords", "any", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				var all []message.Hit
				for _, w := range message.Words(s.Text) {
					s.Text = w
					hits, _ := x.Search(ctx, s)
					all = append(all, hits...)
				}
				slices.SortFunc(all, func(a, b message.Hit) int { return number(b.ID) - number(a.ID) })
				return slices.Compact(all), nil
			}
		})},
		{"AllWords", "a phrase", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			text := make(map[message.Hit]string)
			b.add = func(ctx context.Context, batch []message.Message) error {
				for _, m := range batch {
					text[message.Hit{Channel: m.Channel, ID: m.ID}] = m.Content
				}
				return x.Add(ctx, batch)
			}
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				hits, err := x.Search(ctx, s)
				return slices.DeleteFunc(hits, func(h message.Hit) bool { return !strings.Contains(text[h], s.Text) }), err
			}
		})},
		{"Channels", "the first", searching(func(s *message.Search) { s.Channels = firstOf(s.Channels, 1) })},
		{"Channels", "all of them", searching(func(s *message.Search) { s.Channels = nil })},
		{"Author", "anybody", searching(func(s *message.Search) { s.Author = "" })},
		{"Between", "After inclusive", searching(func(s *message.Search) { s.After = max(s.After, 1) - 1 })},
		{"Between", "to the second", searching(func(s *message.Search) {
			if s.Before%(1<<22) == 7<<12+1 {
				s.Before--
			}
		})},
		{"Filters", "the limit first", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				author := s
				s.Author = ""
				hits, err := x.Search(ctx, s)
				author.Limit = message.MaxHits
				of, _ := x.Search(ctx, author)
				return slices.DeleteFunc(hits, func(h message.Hit) bool { return !slices.Contains(of, h) }), err
			}
		})},
		{"Filters", "one of them", searching(func(s *message.Search) {
			if s.Author != "" {
				s.Channels = nil
			}
		})},
		{"Names", "authors without case", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(ctx context.Context, batch []message.Message) error {
				batch = slices.Clone(batch)
				for i := range batch {
					batch[i].Author = strings.ToLower(batch[i].Author)
				}
				return x.Add(ctx, batch)
			}
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				s.Author = strings.ToLower(s.Author)
				return x.Search(ctx, s)
			}
		})},
		{"Names", "a list with commas", searching(func(s *message.Search) { s.Channels = strings.Fields(strings.Join(s.Channels, " ")) })},
		{"Newest", "the oldest", finding(func(_ message.Search, hits []message.Hit) ([]message.Hit, error) {
			slices.Reverse(hits)
			return hits, nil
		})},
		{"Newest", "by channel", finding(func(_ message.Search, hits []message.Hit) ([]message.Hit, error) {
			slices.SortStableFunc(hits, func(a, b message.Hit) int { return strings.Compare(a.Channel, b.Channel) })
			return hits, nil
		})},
		{"Limit", "one more", searching(func(s *message.Search) { s.Limit = min(s.Limit+1, message.MaxHits) })},
		{"Limit", "fifty", searching(func(s *message.Search) { s.Limit = min(s.Limit, 50) })},
		{"Limit", "the oldest of them", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				limit := s.Limit
				s.Limit = message.MaxHits
				hits, err := x.Search(ctx, s)
				return hits[max(0, len(hits)-limit):], err
			}
		})},
		{"Pages", "Before inclusive", searching(func(s *message.Search) {
			if s.Before > 0 {
				s.Before++
			}
		})},
		{"Pages", "an error behind the last", finding(func(_ message.Search, hits []message.Hit) ([]message.Hit, error) {
			if len(hits) == 0 {
				return nil, message.ErrNotFound
			}
			return hits, nil
		})},
		{"Extremes", "floating", searching(func(s *message.Search) {
			if s.Before > 1<<62 && s.Before < 1<<63-1024 {
				s.Before = message.ID(float64(s.Before))
			}
		})},
		{"Remove", "the first", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.remove = func(ctx context.Context, channel string, ids []message.ID) error {
				return x.Remove(ctx, channel, firstOf(ids, 1)...)
			}
		})},
		{"Remove", "in every channel", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.remove = func(ctx context.Context, channel string, ids []message.ID) error {
				return errors.Join(x.Remove(ctx, "8", ids...), x.Remove(ctx, channel, ids...))
			}
		})},
		{"RemoveUnknown", "an error", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.remove = func(ctx context.Context, channel string, ids []message.ID) error {
				for _, id := range ids {
					if hits, _ := x.Search(ctx, message.Search{Text: "message", Channels: []string{channel}, After: id - 1, Before: id + 1, Limit: 1}); len(hits) == 0 {
						return message.ErrNotFound
					}
				}
				return x.Remove(ctx, channel, ids...)
			}
		})},
		{"RemoveAndAdd", "gone for good", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			gone := make(map[message.ID]bool)
			b.remove = func(ctx context.Context, channel string, ids []message.ID) error {
				for _, id := range ids {
					gone[id] = true
				}
				return x.Remove(ctx, channel, ids...)
			}
			b.add = func(ctx context.Context, batch []message.Message) error {
				return x.Add(ctx, slices.DeleteFunc(slices.Clone(batch), func(m message.Message) bool { return gone[m.ID] }))
			}
		})},
		{"Query", "the limit is mended", searching(func(s *message.Search) { s.Limit = max(1, min(s.Limit, message.MaxHits)) })},
		{"Query", "no words find nothing", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				if len(message.Words(s.Text)) == 0 {
					return nil, nil
				}
				return x.Search(ctx, s)
			}
		})},
		{"Concurrent", "one at a time", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			lock := newBusy()
			b.add = func(ctx context.Context, batch []message.Message) error {
				return lock.use(func() error { return x.Add(ctx, batch) })
			}
		})},
		{"Context", "deaf when it adds", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.add = func(_ context.Context, batch []message.Message) error { return x.Add(context.Background(), batch) }
		})},
		{"Context", "deaf when it removes", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.remove = func(_ context.Context, channel string, ids []message.ID) error {
				return x.Remove(context.Background(), channel, ids...)
			}
		})},
		{"Context", "an error of its own", brokeIndex(func(x *message.MemoryIndex, b *brokenIndex) {
			b.search = func(ctx context.Context, s message.Search) ([]message.Hit, error) {
				hits, err := x.Search(ctx, s)
				if err != nil {
					err = errors.New("timeout")
				}
				return hits, err
			}
		})},
	})
}

// firstOf are the first n of a list, or all of a shorter one.
func firstOf[T any](list []T, n int) []T { return list[:min(len(list), n)] }
