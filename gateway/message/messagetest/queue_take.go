package messagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// moment is how long a case looks whether something happens that must not.
const moment = 300 * time.Millisecond

func takeAtMost(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	err := l.put(ctx, q, 10, "a", "b", "c")
	patient, cancel := context.WithTimeout(ctx, c.Patience)
	defer cancel()
	for n := 0; n < 30; {
		most := 1 + n%4
		items, e := q.Take(patient, most)
		l.took(q, items)
		if e := errors.Join(e, expectCount(len(items), most), l.ack(ctx, q, items...)); e != nil {
			return errors.Join(err, e)
		}
		n += len(items)
	}
	return errors.Join(err, l.verdict())
}

func takeWaits(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	short, cancel := context.WithTimeout(ctx, moment)
	items, e1 := q.Take(short, 5)
	early := short.Err() == nil
	cancel()
	if len(items) > 0 || early {
		return fmt.Errorf("a Take of an empty queue did not wait: %d items, %v", len(items), e1)
	}
	wait, _ := c.work(ctx, l, 5, q)
	rest(ctx, moment)
	return errors.Join(wanted("Take", e1, context.DeadlineExceeded), l.put(ctx, q, 1, "k"), wait())
}

func takeAfterError(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	keys := []string{"a", "b", "c"}
	for i := range 40 {
		short, cancel := context.WithCancel(ctx)
		got := make(chan error, 1)
		go func() {
			items, err := q.Take(short, 2)
			l.took(q, items)
			if err == nil {
				err = l.ack(ctx, q, items...)
			}
			got <- err
		}()
		if err := l.put(ctx, q, 1, keys...); err != nil {
			cancel()
			return err
		}
		rest(ctx, time.Duration(i%5)*time.Millisecond)
		cancel()
		if err := <-got; err != nil && !errors.Is(err, context.Canceled) {
			return during("Take", err)
		}
	}
	wait, _ := c.work(ctx, l, 7, q)
	return wait()
}

func takeWaitsForOne(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	err := l.put(ctx, q, 1, "k")
	first, e1 := c.take(ctx, q, 1) // from now on it is at work
	l.took(q, first)
	err = errors.Join(err, e1, l.ack(ctx, q, first...), l.put(ctx, q, 2, "k"))
	began := time.Now()
	got := 0
	for got < 2 {
		patient, cancel := context.WithTimeout(ctx, c.Patience)
		items, e := q.Take(patient, 100)
		cancel()
		if e != nil {
			return errors.Join(err, e)
		}
		got += len(items)
		l.took(q, items)
		err = errors.Join(err, l.ack(ctx, q, items...))
	}
	if took := time.Since(began); took > 5*time.Second {
		err = errors.Join(err, fmt.Errorf("a Take of at most 100 of 2 items took %v", took))
	}
	return errors.Join(err, l.verdict())
}

func takeNext(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	err := l.put(ctx, q, 5, "a", "b")
	var all []message.Item
	for range 10 {
		items, e := c.take(ctx, q, 1)
		l.took(q, items)
		if err = errors.Join(err, e); err != nil {
			return err
		}
		all = append(all, items...)
	}
	return errors.Join(err, l.ack(ctx, q, all...), l.verdict())
}

func keyOrder(ctx context.Context, c *crew) error {
	l := newLedger()
	takers := []message.Queue{c.taker(), c.taker(), c.taker()}
	keys := []string{"a", "b", "c", "d", "e", "f", "g", "h"}
	err := l.put(ctx, takers[0], 10, keys...)
	wait, _ := c.work(ctx, l, 20, takers...)
	for i := range 30 {
		err = errors.Join(err, l.put(ctx, takers[i%3], 1, keys...))
	}
	return errors.Join(err, wait())
}

func keyOfOneTaker(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 5, "k")
	held, e1 := c.take(ctx, first, 1)
	l.took(first, held)
	second := c.taker()
	_, stop := c.work(ctx, l, 3, second)
	defer stop()
	err = errors.Join(err, e1, l.put(ctx, second, 5, "k"))
	rest(ctx, moment)
	err = errors.Join(err, l.ack(ctx, first, held...))
	wait, _ := c.work(ctx, l, 3, first)
	return errors.Join(err, wait())
}

func manyKeys(ctx context.Context, c *crew) error {
	l := newLedger()
	takers := []message.Queue{c.taker(), c.taker(), c.taker()}
	var keys []string
	for i := range 500 {
		keys = append(keys, fmt.Sprint("key ", i))
	}
	err := l.put(ctx, takers[0], 3, keys...)
	wait, _ := c.work(ctx, l, 50, takers...)
	return errors.Join(err, wait())
}

func epoch(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	var keys []string
	for i := range 20 {
		keys = append(keys, fmt.Sprint("key ", i))
	}
	put := func() error { return l.put(ctx, first, 1, keys...) }
	err := put()
	wait, _ := c.work(ctx, l, 50, first)
	if err = errors.Join(err, wait()); err != nil {
		return err
	}
	// What comes now is the second taker's, as far as it is given any. The first takes the rest.
	second := c.taker()
	err = put()
	items, e1 := c.take(ctx, second, 1)
	l.took(second, items)
	err = errors.Join(err, e1, l.ack(ctx, second, items...))
	wait, _ = c.work(ctx, l, 1, first, second)
	if err = errors.Join(err, wait()); err != nil {
		return err
	}
	l.died(second)
	c.Kill(second)
	err = put()
	wait, _ = c.work(ctx, l, 50, first)
	return errors.Join(err, wait())
}
