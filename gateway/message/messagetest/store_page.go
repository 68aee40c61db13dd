package messagetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// A channel of seven messages with even numbers, and every page of it that there is: of the
// messages, of what lies between them, of both ends, and of every length.
const (
	firstNumber, lastNumber = 2, 14
	longest                 = 9
)

// everyPage compares all pages of one kind with what they should be.
func everyPage(ctx context.Context, s message.Store, query func(message.ID) message.Query, want func(at, limit int) []int) error {
	var all []message.Message
	for n := firstNumber; n <= lastNumber; n += 2 {
		all = append(all, said("7", n))
	}
	if err := s.Append(ctx, "7", all); err != nil {
		return err
	}
	for at := firstNumber - 1; at <= lastNumber+1; at++ {
		for limit := 1; limit <= longest; limit++ {
			q := query(id(at))
			q.Limit = limit
			got, err := s.Page(ctx, "7", q)
			numbers := make([]int, len(got))
			for i, m := range got {
				numbers[i] = number(m.ID)
			}
			err = errors.Join(err, expect("numbers", numbers, want(at, limit)))
			if err != nil {
				return fmt.Errorf("of the messages 2 4 6 8 10 12 14, %d of %+v with the id of number %d: %w", limit, query(1), at, err)
			}
		}
	}
	return nil
}

// between are the numbers in a range that are messages.
func between(low, high int) (numbers []int) {
	for n := max(low, firstNumber); n <= min(high, lastNumber); n++ {
		if n%2 == 0 {
			numbers = append(numbers, n)
		}
	}
	return numbers
}

func last(n int, of []int) []int { return of[max(0, len(of)-n):] }

func pageNewest(ctx context.Context, s message.Store) error {
	return everyPage(ctx, s, func(message.ID) message.Query { return message.Query{} }, func(_, limit int) []int {
		return last(limit, between(firstNumber, lastNumber))
	})
}

func pageBefore(ctx context.Context, s message.Store) error {
	return everyPage(ctx, s, func(id message.ID) message.Query { return message.Query{Before: id} }, func(at, limit int) []int {
		return last(limit, between(firstNumber, at-1))
	})
}

func pageAfter(ctx context.Context, s message.Store) error {
	return everyPage(ctx, s, func(id message.ID) message.Query { return message.Query{After: id} }, func(at, limit int) []int {
		behind := between(at+1, lastNumber)
		return behind[:min(limit, len(behind))]
	})
}

// pageAround takes messages one by one: first the one that is asked for, then in turn the nearest
// before and the nearest after it, as long as there are any.
func pageAround(ctx context.Context, s message.Store) error {
	return everyPage(ctx, s, func(id message.ID) message.Query { return message.Query{Around: id} }, func(at, limit int) []int {
		before, numbers, after := between(firstNumber, at-1), between(at, at), between(at+1, lastNumber)
		for side := 0; len(numbers) < limit && len(before)+len(after) > 0; side++ {
			if len(after) == 0 || side%2 == 0 && len(before) > 0 {
				numbers = append(numbers, before[len(before)-1])
				before = before[:len(before)-1]
				continue
			}
			numbers = append(numbers, after[0])
			after = after[1:]
		}
		slices.Sort(numbers)
		return numbers
	})
}

func pageMost(ctx context.Context, s message.Store) error {
	const n = message.MaxPage + 3
	err := filled(ctx, s, "7", 1, n)
	for name, tt := range map[string]struct {
		q     message.Query
		first int
	}{
		"the newest":   {message.Query{}, 4},
		"the oldest":   {message.Query{After: id(0)}, 1},
		"before":       {message.Query{Before: id(n)}, 3},
		"around":       {message.Query{Around: id(n/2 + 1)}, 2},
		"around start": {message.Query{Around: id(1)}, 1},
		"around end":   {message.Query{Around: id(n)}, 4},
	} {
		tt.q.Limit = message.MaxPage
		got, e := s.Page(ctx, "7", tt.q)
		err = errors.Join(err, e, during(name, allSame(got, batch("7", tt.first, tt.first+message.MaxPage-1))))
	}
	return err
}

func pageOverTime(ctx context.Context, s message.Store) error {
	const day = int(24 * time.Hour / time.Second)
	var all []message.Message
	for _, n := range []int{-3000, -400, -399, -31, -7, -1, 0, 1, 6, 8, 30, 365, 366, 3650} {
		all = append(all, said("7", n*day))
	}
	err := s.Append(ctx, "7", all)
	for i, m := range all {
		got, e1 := s.Page(ctx, "7", message.Query{Before: m.ID, Limit: 20})
		err = errors.Join(err, e1, during("before", allSame(got, all[:i])))
		got, e1 = s.Page(ctx, "7", message.Query{After: m.ID, Limit: 20})
		err = errors.Join(err, e1, during("after", allSame(got, all[i+1:])))
		got, e1 = s.Page(ctx, "7", message.Query{Around: m.ID, Limit: 20})
		err = errors.Join(err, e1, during("around", allSame(got, all)))
		if err != nil {
			return fmt.Errorf("message of %s: %w", m.ID.Time().Format(time.DateOnly), err)
		}
	}
	return err
}

func pageExtremes(ctx context.Context, s message.Store) error {
	var all []message.Message
	for _, id := range []message.ID{1, 2, 1 << 22, 1<<53 + 1, 1 << 62, 1<<62 + 1, 1<<63 - 2, 1<<63 - 1} {
		all = append(all, message.Message{ID: id, Channel: "7", Content: id.String()})
	}
	err := keeps(ctx, s, "7", all...)
	for i, m := range all {
		got, e1 := s.Page(ctx, "7", message.Query{Before: m.ID, Limit: 20})
		behind, e2 := s.Page(ctx, "7", message.Query{After: m.ID, Limit: 20})
		one, e3 := s.Page(ctx, "7", message.Query{Around: m.ID, Limit: 1})
		err = errors.Join(err, e1, e2, e3, during("before "+m.Content, allSame(got, all[:i])),
			during("after "+m.Content, allSame(behind, all[i+1:])), during("around "+m.Content, allSame(one, all[i:i+1])))
	}
	return err
}

func pageEmpty(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "8", 1, 3)
	for _, q := range []message.Query{{}, {Before: id(2)}, {After: id(2)}, {Around: id(2)}} {
		q.Limit = 10
		got, e := page(ctx, s, "7", q)
		err = errors.Join(err, e, expect("page", got, ""))
	}
	return err
}

func pageQuery(ctx context.Context, s message.Store) error {
	err := filled(ctx, s, "7", 1, 3)
	for _, q := range []message.Query{
		{}, {Limit: -1}, {Limit: message.MaxPage + 1}, {Before: id(3), Limit: message.MaxPage + 1},
		{Before: id(3), After: id(1), Limit: 10}, {Around: id(2), After: id(1), Limit: 10}, {Around: id(2), Before: id(3), Limit: 10},
	} {
		_, e := s.Page(ctx, "7", q)
		err = errors.Join(err, wanted(fmt.Sprintf("%+v", q), e, message.ErrQuery))
	}
	return err
}

func pageIsTheCallers(ctx context.Context, s message.Store) error {
	edited := full("7", 2)
	edited.Content, edited.Data = "edited", []byte("edited")
	err := s.Append(ctx, "7", []message.Message{full("7", 1), full("7", 2), full("7", 3)})
	got, e1 := s.Page(ctx, "7", message.Query{Limit: 3})
	e2 := s.Edit(ctx, edited)
	_, e3 := s.Delete(ctx, "7", id(1))
	e4 := s.Append(ctx, "7", batch("7", 4, 4))
	return errors.Join(err, e1, e2, e3, e4, allSame(got, []message.Message{full("7", 1), full("7", 2), full("7", 3)}))
}
