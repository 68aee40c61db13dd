package messagetest

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func TestMemoryStore(t *testing.T) {
	Store(t, func(testing.TB) message.Store { return message.NewMemoryStore() })
}

// brokenStore is a store in which one sentence of the contract does not hold. What is not set is
// as it should be.
type brokenStore struct {
	*message.MemoryStore
	append func(ctx context.Context, channel string, batch []message.Message) error
	page   func(ctx context.Context, channel string, q message.Query) ([]message.Message, error)
	edit   func(ctx context.Context, m message.Message) error
	delete func(ctx context.Context, channel string, ids []message.ID) ([]message.ID, error)
}

func (b *brokenStore) Append(ctx context.Context, channel string, batch []message.Message) error {
	if b.append != nil {
		return b.append(ctx, channel, batch)
	}
	return b.MemoryStore.Append(ctx, channel, batch)
}

func (b *brokenStore) Page(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
	if b.page != nil {
		return b.page(ctx, channel, q)
	}
	return b.MemoryStore.Page(ctx, channel, q)
}

func (b *brokenStore) Edit(ctx context.Context, m message.Message) error {
	if b.edit != nil {
		return b.edit(ctx, m)
	}
	return b.MemoryStore.Edit(ctx, m)
}

func (b *brokenStore) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	if b.delete != nil {
		return b.delete(ctx, channel, ids)
	}
	return b.MemoryStore.Delete(ctx, channel, ids...)
}

// broke opens a store after it was broken.
func broke(how func(s *message.MemoryStore, b *brokenStore)) func() message.Store {
	return func() message.Store {
		b := &brokenStore{MemoryStore: message.NewMemoryStore()}
		how(b.MemoryStore, b)
		return b
	}
}

// appending breaks each message that is stored.
func appending(change func(m *message.Message)) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.append = func(ctx context.Context, channel string, batch []message.Message) error {
			batch = slices.Clone(batch)
			for i := range batch {
				change(&batch[i])
			}
			return s.Append(ctx, channel, batch)
		}
	})
}

// naming breaks the names of channels.
func naming(name func(string) string) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.append = func(ctx context.Context, channel string, batch []message.Message) error {
			return s.Append(ctx, name(channel), batch)
		}
		b.page = func(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
			page, err := s.Page(ctx, name(channel), q)
			for i := range page {
				page[i].Channel = channel
			}
			return page, err
		}
	})
}

// batching breaks whole batches.
func batching(change func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error)) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.append = func(ctx context.Context, channel string, batch []message.Message) error {
			batch, err := change(s, ctx, channel, batch)
			return errors.Join(err, s.Append(ctx, channel, batch))
		}
	})
}

// paging breaks queries and pages.
func paging(query func(q message.Query) message.Query, page func(q message.Query, page []message.Message) ([]message.Message, error)) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.page = func(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
			asked := q
			if query != nil {
				q = query(q)
			}
			got, err := s.Page(ctx, channel, q)
			if page != nil && err == nil {
				return page(asked, got)
			}
			return got, err
		}
	})
}

func editing(edit func(s *message.MemoryStore, ctx context.Context, m message.Message) error) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.edit = func(ctx context.Context, m message.Message) error { return edit(s, ctx, m) }
	})
}

func deleting(del func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error)) func() message.Store {
	return broke(func(s *message.MemoryStore, b *brokenStore) {
		b.delete = func(ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			return del(s, ctx, channel, ids)
		}
	})
}

// kept returns a message of a store.
func kept(s message.Store, channel string, id message.ID) (message.Message, bool) {
	page, _ := s.Page(context.Background(), channel, message.Query{Around: id, Limit: 1})
	if len(page) == 1 && page[0].ID == id {
		return page[0], true
	}
	return message.Message{}, false
}

// overwrite has a message be as it is given, whatever was there.
func overwrite(s *message.MemoryStore, ctx context.Context, m message.Message) error {
	_, err := s.Delete(ctx, m.Channel, m.ID)
	return errors.Join(err, s.Append(ctx, m.Channel, []message.Message{m}))
}

func TestBrokenStores(t *testing.T) {
	proveKit(t, storeCases, []fake[message.Store]{
		{"AppendKeepsEverything", "no nonce", appending(func(m *message.Message) { m.Nonce = "" })},
		{"AppendKeepsEverything", "edited to the second", appending(func(m *message.Message) { m.Edited = m.Edited.Truncate(time.Second) })},
		{"AppendKeepsEverything", "never edited is 1970", appending(func(m *message.Message) {
			if m.Edited.IsZero() {
				m.Edited = time.UnixMilli(0)
			}
		})},
		{"AppendKeepsEverything", "data is text", appending(func(m *message.Message) { m.Data = bytes.ToValidUTF8(m.Data, []byte("?")) })},
		{"AppendTexts", "trimmed", appending(func(m *message.Message) { m.Content = strings.TrimSpace(m.Content) })},
		{"AppendTexts", "composed", appending(func(m *message.Message) { m.Content = strings.ReplaceAll(m.Content, "a\u0308", "ä") })},
		{"AppendTexts", "no astral planes", appending(func(m *message.Message) { m.Content = strings.ReplaceAll(m.Content, "🦊", "?") })},
		{"AppendLarge", "short content", appending(func(m *message.Message) { m.Content = m.Content[:min(len(m.Content), 4000)] })},
		{"AppendLarge", "short data", appending(func(m *message.Message) { m.Data = m.Data[:min(len(m.Data), 1<<16-1)] })},
		{"AppendKeepsChannelsApart", "without case", naming(strings.ToLower)},
		{"AppendKeepsChannelsApart", "trimmed", naming(strings.TrimSpace)},
		{"AppendKeepsChannelsApart", "cut", naming(func(name string) string { return name[:min(len(name), 127)] })},
		{"AppendAgain", "replaced", batching(func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error) {
			for _, m := range batch {
				s.Delete(ctx, channel, m.ID)
			}
			return batch, nil
		})},
		{"AppendAgain", "an error", batching(func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error) {
			for i, m := range batch {
				if _, there := kept(s, channel, m.ID); there {
					return nil, message.BatchError{i: errors.New("duplicate key")}
				}
			}
			return batch, nil
		})},
		{"AppendAgainAfterEdit", "the edit is lost", batching(func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error) {
			for _, m := range batch {
				if old, there := kept(s, channel, m.ID); there && !old.Edited.Equal(m.Edited) {
					s.Delete(ctx, channel, m.ID)
				}
			}
			return batch, nil
		})},
		{"AppendAgainMixed", "all or nothing", batching(func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error) {
			for _, m := range batch {
				if _, there := kept(s, channel, m.ID); there {
					return nil, nil
				}
			}
			return batch, nil
		})},
		{"AppendDeleted", "an error", broke(func(s *message.MemoryStore, b *brokenStore) {
			gone := make(map[message.ID]bool)
			b.delete = func(ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
				for _, id := range ids {
					gone[id] = true
				}
				return s.Delete(ctx, channel, ids...)
			}
			b.append = func(ctx context.Context, channel string, batch []message.Message) error {
				if slices.ContainsFunc(batch, func(m message.Message) bool { return gone[m.ID] }) {
					return message.ErrNotFound
				}
				return s.Append(ctx, channel, batch)
			}
		})},
		{"AppendEmpty", "an error", batching(func(_ *message.MemoryStore, _ context.Context, _ string, batch []message.Message) ([]message.Message, error) {
			if len(batch) == 0 {
				return nil, errors.New("syntax error")
			}
			return batch, nil
		})},
		{"AppendLong", "too many parameters", batching(func(_ *message.MemoryStore, _ context.Context, _ string, batch []message.Message) ([]message.Message, error) {
			if len(batch)*8 > 1<<16-1 {
				return nil, errors.New("too many parameters")
			}
			return batch, nil
		})},
		{"AppendOlder", "only newer ones", batching(func(s *message.MemoryStore, ctx context.Context, channel string, batch []message.Message) ([]message.Message, error) {
			page, err := s.Page(ctx, channel, message.Query{Limit: 1})
			return slices.DeleteFunc(slices.Clone(batch), func(m message.Message) bool { return len(page) == 1 && m.ID < page[0].ID }), err
		})},
		{"AppendLeavesBatch", "sorted in place", batching(func(_ *message.MemoryStore, _ context.Context, _ string, batch []message.Message) ([]message.Message, error) {
			slices.SortFunc(batch, func(a, b message.Message) int { return number(a.ID) - number(b.ID) })
			return batch, nil
		})},
		{"AppendLeavesBatch", "the bytes are the store's", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			old, _ := kept(s, m.Channel, m.ID)
			copy(old.Data, m.Data)
			return s.Edit(ctx, m)
		})},
		{"PageNewest", "newest first", paging(nil, func(_ message.Query, page []message.Message) ([]message.Message, error) {
			slices.Reverse(page)
			return page, nil
		})},
		{"PageNewest", "oldest", paging(func(q message.Query) message.Query {
			if q.Before == 0 && q.Around == 0 {
				q.After = 1
			}
			return q
		}, nil)},
		{"PageBefore", "inclusive", paging(func(q message.Query) message.Query {
			if q.Before != 0 {
				q.Before++
			}
			return q
		}, nil)},
		{"PageAfter", "inclusive", paging(func(q message.Query) message.Query {
			if q.After != 0 {
				q.After--
			}
			return q
		}, nil)},
		{"PageAfter", "the newest", paging(func(q message.Query) message.Query {
			if q.After != 0 {
				return message.Query{Limit: message.MaxPage}
			}
			return q
		}, func(q message.Query, page []message.Message) ([]message.Message, error) {
			if q.After != 0 {
				page = slices.DeleteFunc(page, func(m message.Message) bool { return m.ID <= q.After })
			}
			return page[max(0, len(page)-q.Limit):], nil
		})},
		{"PageAround", "one more from after", paging(func(q message.Query) message.Query {
			if q.Around != 0 && q.Limit%2 == 0 {
				q.Limit++
			}
			return q
		}, func(q message.Query, page []message.Message) ([]message.Message, error) {
			return page[max(0, len(page)-q.Limit):], nil
		})},
		{"PageAround", "not filled up", paging(nil, func(q message.Query, page []message.Message) ([]message.Message, error) {
			if q.Around == 0 {
				return page, nil
			}
			before := 0
			for _, m := range page {
				if m.ID < q.Around {
					before++
				}
			}
			return page[max(0, before-q.Limit/2):], nil
		})},
		{"PageAround", "without that message", paging(nil, func(q message.Query, page []message.Message) ([]message.Message, error) {
			return slices.DeleteFunc(page, func(m message.Message) bool { return m.ID == q.Around }), nil
		})},
		{"PageMost", "at most 500", paging(func(q message.Query) message.Query { q.Limit = min(q.Limit, 500); return q }, nil)},
		{"PageOverTime", "a year", paging(nil, func(_ message.Query, page []message.Message) ([]message.Message, error) {
			for len(page) > 0 && page[len(page)-1].ID.Time().Sub(page[0].ID.Time()) > 366*24*time.Hour {
				page = page[1:]
			}
			return page, nil
		})},
		{"PageExtremes", "floating", appending(func(m *message.Message) {
			if m.ID < 1<<63-1024 {
				m.ID = message.ID(float64(m.ID))
			}
		})},
		{"PageExtremes", "overflow", paging(func(q message.Query) message.Query {
			if int64(q.After+1) < 0 {
				return message.Query{Limit: q.Limit}
			}
			return q
		}, nil)},
		{"PageEmpty", "an error", paging(nil, func(_ message.Query, page []message.Message) ([]message.Message, error) {
			if len(page) == 0 {
				return nil, message.ErrNotFound
			}
			return page, nil
		})},
		{"PageQuery", "the limit is mended", paging(func(q message.Query) message.Query { q.Limit = max(1, min(q.Limit, message.MaxPage)); return q }, nil)},
		{"PageQuery", "Before wins", paging(func(q message.Query) message.Query {
			if q.Before != 0 {
				q.After, q.Around = 0, 0
			}
			return q
		}, nil)},
		{"PageIsTheCallers", "a page that is cached", broke(func(s *message.MemoryStore, b *brokenStore) {
			var last []message.Message
			b.page = func(ctx context.Context, channel string, q message.Query) (_ []message.Message, err error) {
				last, err = s.Page(ctx, channel, q)
				return last, err
			}
			b.edit = func(ctx context.Context, m message.Message) error {
				for i := range last {
					if last[i].ID == m.ID {
						last[i].Content = m.Content
					}
				}
				return s.Edit(ctx, m)
			}
		})},
		{"EditReplaces", "nil keeps the data", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			if m.Data == nil {
				old, _ := kept(s, m.Channel, m.ID)
				m.Data = old.Data
			}
			return s.Edit(ctx, m)
		})},
		{"EditReplaces", "the time is the store's", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			m.Edited = time.Now()
			return s.Edit(ctx, m)
		})},
		{"EditKeepsTheRest", "replaces the author", editing(overwrite)},
		{"EditUnknown", "no error", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			if err := s.Edit(ctx, m); !errors.Is(err, message.ErrNotFound) {
				return err
			}
			return nil
		})},
		{"EditUnknown", "an error, and it is there", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			_, there := kept(s, m.Channel, m.ID)
			err := overwrite(s, ctx, m)
			if !there {
				return message.ErrNotFound
			}
			return err
		})},
		{"EditDeleted", "it comes back", editing(overwrite)},
		{"EditWhileDeleted", "read, then written", editing(func(s *message.MemoryStore, ctx context.Context, m message.Message) error {
			if _, there := kept(s, m.Channel, m.ID); !there {
				return message.ErrNotFound
			}
			rest(ctx, time.Millisecond)
			return overwrite(s, ctx, m)
		})},
		{"DeleteForgets", "the first one", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			return s.Delete(ctx, channel, ids[:1]...)
		})},
		{"DeleteForgets", "in every channel", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			s.Delete(ctx, "8", ids...)
			return s.Delete(ctx, channel, ids...)
		})},
		{"DeleteReturns", "what it was given", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			_, err := s.Delete(ctx, channel, ids...)
			return slices.Sorted(slices.Values(ids)), err
		})},
		{"DeleteReturns", "in any order", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			deleted, err := s.Delete(ctx, channel, ids...)
			slices.Reverse(deleted)
			return deleted, err
		})},
		{"DeleteTwice", "twice", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			_, err := s.Delete(ctx, channel, ids...)
			return slices.Sorted(slices.Values(ids)), err
		})},
		{"DeleteUnknown", "an error", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			deleted, err := s.Delete(ctx, channel, ids...)
			if len(deleted) < len(ids) {
				err = message.ErrNotFound
			}
			return deleted, err
		})},
		{"DeleteMany", "a page", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			return s.Delete(ctx, channel, ids[:min(len(ids), message.MaxPage)]...)
		})},
		{"DeleteOnce", "looked up, then deleted", deleting(func(s *message.MemoryStore, ctx context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			ids = slices.DeleteFunc(slices.Clone(ids), func(id message.ID) bool { _, there := kept(s, channel, id); return !there })
			rest(ctx, time.Millisecond)
			_, err := s.Delete(ctx, channel, ids...)
			return ids, err
		})},
		{"Concurrent", "one at a time", broke(func(s *message.MemoryStore, b *brokenStore) {
			lock := newBusy()
			b.append = func(ctx context.Context, channel string, batch []message.Message) error {
				return lock.use(func() error { return s.Append(ctx, channel, batch) })
			}
		})},
		{"Concurrent", "a channel is written whole", broke(func(s *message.MemoryStore, b *brokenStore) {
			b.append = func(ctx context.Context, channel string, batch []message.Message) error {
				all, err := s.Page(ctx, channel, message.Query{Limit: message.MaxPage})
				rest(ctx, time.Millisecond)
				now, e := s.Page(ctx, channel, message.Query{Limit: message.MaxPage})
				_, e2 := s.Delete(ctx, channel, idsOf(now)...)
				return errors.Join(err, e, e2, s.Append(ctx, channel, append(all, batch...)))
			}
		})},
		{"Context", "deaf when it appends", broke(func(s *message.MemoryStore, b *brokenStore) {
			b.append = func(_ context.Context, channel string, batch []message.Message) error {
				return s.Append(context.Background(), channel, batch)
			}
		})},
		{"Context", "an error of its own", broke(func(s *message.MemoryStore, b *brokenStore) {
			b.page = func(ctx context.Context, channel string, q message.Query) ([]message.Message, error) {
				page, err := s.Page(ctx, channel, q)
				if err != nil {
					err = errors.New("timeout")
				}
				return page, err
			}
		})},
		{"Context", "deaf when it edits", editing(func(s *message.MemoryStore, _ context.Context, m message.Message) error {
			return s.Edit(context.Background(), m)
		})},
		{"Context", "deaf when it deletes", deleting(func(s *message.MemoryStore, _ context.Context, channel string, ids []message.ID) ([]message.ID, error) {
			return s.Delete(context.Background(), channel, ids...)
		})},
	})
}
