package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func editReplaces(ctx context.Context, s message.Store) error {
	more, less := full("7", 1), full("7", 2)
	more.Content, more.Data, more.Edited = "edited 🦊", []byte("more\x00data"), start.Add(time.Hour+time.Millisecond)
	less.Content, less.Data, less.Edited = "", nil, time.Time{}
	return errors.Join(
		s.Append(ctx, "7", []message.Message{full("7", 1), full("7", 2), full("7", 3)}),
		s.Edit(ctx, more), s.Edit(ctx, less),
		holds(ctx, s, "7", more, less, full("7", 3)))
}

func editKeepsTheRest(ctx context.Context, s message.Store) error {
	m, want := full("7", 1), full("7", 1)
	m.Author, m.Nonce, m.Content = "bob", "another", "edited"
	want.Content = m.Content
	return errors.Join(
		s.Append(ctx, "7", []message.Message{full("7", 1)}), s.Append(ctx, "8", []message.Message{full("8", 1)}),
		s.Edit(ctx, m), holds(ctx, s, "7", want), holds(ctx, s, "8", full("8", 1)))
}

func editUnknown(ctx context.Context, s message.Store) error {
	return errors.Join(
		filled(ctx, s, "7", 1, 1), filled(ctx, s, "8", 2, 2),
		wanted("an unknown channel", s.Edit(ctx, said("none", 1)), message.ErrNotFound),
		wanted("an unknown id", s.Edit(ctx, said("7", 3)), message.ErrNotFound),
		wanted("an id of another channel", s.Edit(ctx, said("7", 2)), message.ErrNotFound),
		holds(ctx, s, "none"), holds(ctx, s, "7", said("7", 1)), holds(ctx, s, "8", said("8", 2)))
}

func editDeleted(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 2)
	_, e1 := s.Delete(ctx, "7", id(1))
	return errors.Join(err, e1, wanted("Edit", s.Edit(ctx, said("7", 1)), message.ErrNotFound), holds(ctx, s, "7", said("7", 2)))
}

func editWhileDeleted(ctx context.Context, s message.Store) error {
	const n = 40
	err := filled(ctx, s, "7", 0, n)
	errs := make([]error, 2*n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := s.Edit(ctx, said("7", i)); !errors.Is(err, message.ErrNotFound) {
				errs[2*i] = during("Edit", err)
			}
		})
		wg.Go(func() {
			deleted, err := s.Delete(ctx, "7", id(i))
			errs[2*i+1] = errors.Join(during("Delete", err), expect("Delete", numbers(deleted), i))
		})
	}
	wg.Wait()
	return errors.Join(err, errors.Join(errs...), holds(ctx, s, "7", said("7", n)))
}

func deleteForgets(ctx context.Context, s message.Store) error {
	err := errors.Join(filled(ctx, s, "7", 1, 5), filled(ctx, s, "8", 1, 5))
	_, e1 := s.Delete(ctx, "7", id(2), id(5), id(3))
	return errors.Join(err, e1, holds(ctx, s, "7", said("7", 1), said("7", 4)), holds(ctx, s, "8", batch("8", 1, 5)...))
}

func deleteReturns(ctx context.Context, s message.Store) error {
	err := errors.Join(filled(ctx, s, "7", 1, 5), filled(ctx, s, "8", 9, 9))
	deleted, e1 := s.Delete(ctx, "7", id(5), id(9), id(1), id(7), id(3))
	again, e2 := s.Delete(ctx, "7", id(1), id(2))
	return errors.Join(err, e1, e2, expect("Delete", numbers(deleted), "1 3 5"), expect("Delete again", numbers(again), "2"))
}

func deleteTwice(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 3)
	deleted, e1 := s.Delete(ctx, "7", id(2), id(2), id(1), id(2))
	return errors.Join(err, e1, expect("Delete", numbers(deleted), "1 2"), holds(ctx, s, "7", said("7", 3)))
}

func deleteUnknown(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 1)
	for name, of := range map[string]struct {
		channel string
		ids     []message.ID
	}{
		"unknown ids":        {"7", ids(2, 3)},
		"an unknown channel": {"none", ids(1, 1)},
		"no ids":             {"7", nil},
	} {
		deleted, e := s.Delete(ctx, of.channel, of.ids...)
		err = errors.Join(err, during(name, e), expect(name, numbers(deleted), ""))
	}
	return errors.Join(err, holds(ctx, s, "7", said("7", 1)))
}

func deleteMany(ctx context.Context, s message.Store) error {
	const n = 2000
	err := filled(ctx, s, "7", 1, n+1)
	doomed := ids(1, 2*n)
	doomed = slices.Delete(doomed, n, n+1) // one stays
	deleted, e1 := s.Delete(ctx, "7", doomed...)
	return errors.Join(err, e1, expect("Delete", numbers(deleted), numbers(ids(1, n))), holds(ctx, s, "7", said("7", n+1)))
}

func deleteOnce(ctx context.Context, s message.Store) error {
	const n, callers = 50, 8
	err := filled(ctx, s, "7", 1, n)
	var mu sync.Mutex
	var wg sync.WaitGroup
	var all []message.ID
	for range callers {
		wg.Go(func() {
			for i := range n / 5 {
				deleted, e := s.Delete(ctx, "7", ids(5*i+1, 5*i+5)...)
				mu.Lock()
				all, err = append(all, deleted...), errors.Join(err, e)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	slices.Sort(all)
	return errors.Join(err, expect("what all callers got", numbers(all), numbers(ids(1, n))), holds(ctx, s, "7"))
}

func storeConcurrent(ctx context.Context, s message.Store) error {
	const writers, each = 8, 12
	var wg sync.WaitGroup
	errs := make([]error, writers)
	for w := range writers {
		wg.Go(func() {
			own := fmt.Sprint("own ", w)
			for i := range each {
				n := 10 * i
				_, e1 := s.Page(ctx, "shared", message.Query{Limit: 50})
				_, e2 := s.Delete(ctx, own, id(n))
				edit := said("shared", n+3)
				edit.Content = "edited"
				errs[w] = errors.Join(errs[w], e1, e2,
					filled(ctx, s, "shared", n, n+8), // as the others do
					filled(ctx, s, own, n, n+8),
					s.Edit(ctx, edit),
					during("Append", s.Append(ctx, "woven", []message.Message{said("woven", i*writers+w)})))
			}
		})
	}
	wg.Wait()
	var shared []message.Message
	for i := range each {
		part := batch("shared", 10*i, 10*i+8)
		part[3].Content = "edited"
		shared = append(shared, part...)
	}
	err := errors.Join(errors.Join(errs...), holds(ctx, s, "shared", shared...), holds(ctx, s, "woven", batch("woven", 0, writers*each-1)...))
	for w := range writers {
		own := fmt.Sprint("own ", w)
		got, e := s.Page(ctx, own, message.Query{Limit: message.MaxPage})
		err = errors.Join(err, e, expect(own, len(got), 9*each))
	}
	return err
}
