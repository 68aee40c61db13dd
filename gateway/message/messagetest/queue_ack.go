package messagetest

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func deadTaker(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 6, "a", "b")
	items, e1 := c.take(ctx, first, 8)
	l.took(first, items)
	l.died(first)
	c.Kill(first)
	second := c.taker()
	err = errors.Join(err, e1, l.put(ctx, second, 3, "a", "b"))
	wait, _ := c.work(ctx, l, 3, second)
	return errors.Join(err, wait())
}

func deadWhileWaiting(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 3, "a", "b")
	items, e1 := c.take(ctx, first, 6)
	l.took(first, items)
	wait, _ := c.work(ctx, l, 3, c.taker(), c.taker())
	rest(ctx, moment)
	l.died(first)
	c.Kill(first)
	return errors.Join(err, e1, wait())
}

func tries(ctx context.Context, c *crew) error {
	var err error
	first := c.taker()
	err = errors.Join(err, first.Put(ctx, item("k", 0), item("k", 1), item("k", 2)))
	look := func(q message.Queue, n int, want string) []message.Item {
		items, e := c.take(ctx, q, n)
		text := ""
		for _, it := range items {
			text += fmt.Sprintf("%s:%d ", it.Data, it.Tries)
		}
		err = errors.Join(err, e, expect("item:Tries", text, want))
		return items
	}
	look(first, 2, "0:1 1:1 ")
	c.Kill(first)
	second := c.taker()
	items := look(second, 3, "0:2 1:2 2:1 ")
	if len(items) == 3 {
		err = errors.Join(err, second.Ack(ctx, items[0]))
	}
	c.Kill(second)
	look(c.taker(), 2, "1:3 2:2 ")
	return err
}

func ack(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 10, "a", "b")
	wait, _ := c.work(ctx, l, 4, first)
	err = errors.Join(err, wait())
	l.died(first)
	c.Kill(first)
	second := c.taker()
	err = errors.Join(err, l.put(ctx, second, 1, "a", "b")) // behind those
	wait, _ = c.work(ctx, l, 10, second)
	return errors.Join(err, wait())
}

func ackInAnyOrder(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 4, "a", "b")
	items, e1 := c.take(ctx, first, 8)
	l.took(first, items)
	err = errors.Join(err, e1)
	for i, it := range items {
		if it.Key == "b" && i != 3 || string(it.Data) == "2" {
			err = errors.Join(err, l.ack(ctx, first, it))
		}
	}
	l.died(first)
	c.Kill(first)
	second := c.taker()
	err = errors.Join(err, l.put(ctx, second, 1, "a", "b"))
	wait, _ := c.work(ctx, l, 10, second)
	return errors.Join(err, wait())
}

func ackLate(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 3, "k")
	items, e1 := c.take(ctx, first, 3)
	l.took(first, items)
	l.died(first)
	c.Kill(first)
	second := c.taker()
	again, e2 := c.take(ctx, second, 3)
	l.took(second, again)
	late, cancel := context.WithTimeout(ctx, 5*time.Second)
	_ = first.Ack(late, items...) // it is dead, and may say so
	cancel()
	l.died(second)
	c.Kill(second)
	wait, _ := c.work(ctx, l, 3, c.taker())
	return errors.Join(err, e1, e2, wait())
}

func takersComeAndGo(ctx context.Context, c *crew) error {
	l, putter := newLedger(), c.taker()
	err := l.put(ctx, putter, 8, "a", "b", "c", "d", "e", "f")
	for round := range 4 {
		doomed, within := c.taker(), moment
		if round == 0 { // it is alone and gets some in any case
			within = c.Patience
		}
		if err := takeSome(ctx, l, doomed, within); err != nil { // which it does not get to acknowledge
			return err
		}
		_, stop := c.work(ctx, l, 3, c.taker())
		defer stop()
		err = errors.Join(err, l.put(ctx, putter, 8, "a", "b", "c", "d", "e", "f"))
		rest(ctx, moment/3)
		l.died(doomed)
		c.Kill(doomed)
		err = errors.Join(err, l.put(ctx, putter, 8, "g", "a", "h", "b", "i", "j"))
	}
	wait, _ := c.work(ctx, l, 5, putter)
	return errors.Join(err, wait())
}

// takeSome takes what there is within a time, at most 4 items.
func takeSome(ctx context.Context, l *ledger, q message.Queue, within time.Duration) error {
	short, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	items, err := q.Take(short, 4)
	if err != nil {
		return wanted("Take", err, context.DeadlineExceeded)
	}
	l.took(q, items)
	return nil
}
