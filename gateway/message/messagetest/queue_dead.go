package messagetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func bury(ctx context.Context, c *crew) error {
	first, l := c.taker(), newLedger()
	err := l.put(ctx, first, 3, "k")
	items, e1 := c.take(ctx, first, 3)
	if err := errors.Join(err, e1); err != nil {
		return err
	}
	l.took(first, items)
	l.settled(items[1:2])
	err = errors.Join(during("Bury", first.Bury(ctx, "because", items[1])), l.ack(ctx, first, items[0]))
	l.died(first)
	c.Kill(first)
	second := c.taker()
	err = errors.Join(err, l.put(ctx, second, 1, "k"))
	wait, _ := c.work(ctx, l, 10, second)
	return errors.Join(err, wait(), deadAre(ctx, second, 10, "k/1: because"))
}

// deadAre reports the dead, as "key/data: why", if they are not these.
func deadAre(ctx context.Context, q message.Queue, most int, want ...string) error {
	got, err := q.Dead(ctx, most)
	text := make([]string, len(got))
	for i, it := range got {
		text[i] = fmt.Sprintf("%s/%s: %s", it.Key, it.Data, it.Why)
	}
	return errors.Join(during("Dead", err), expect("the dead", strings.Join(text, ", "), strings.Join(want, ", ")))
}

func dead(ctx context.Context, c *crew) error {
	q := c.taker()
	err := deadAre(ctx, q, 10)
	why := "it's \"no\" message: \n " + strings.Repeat("🦊", 100)
	var want []string
	for i, key := range oddNames {
		data := []byte{0, 255, '\n', byte(i)}
		if i == 0 {
			data = nil
		}
		err = errors.Join(err, q.Put(ctx, message.Item{Key: key, ID: fmt.Sprint(i), Data: data}))
		items, e := c.take(ctx, q, 1)
		err = errors.Join(err, e, during("Bury", q.Bury(ctx, why, items...)))
		want = append(want, fmt.Sprintf("%s/%s: %s", key, data, why))
	}
	return errors.Join(err, deadAre(ctx, q, len(want), want...))
}

func deadOrder(ctx context.Context, c *crew) error {
	const n = 60
	q := c.taker()
	var want []string
	var put []message.Item
	for i := range n {
		put = append(put, item("k", i))
		want = append(want, fmt.Sprintf("k/%d: because", i))
	}
	err := q.Put(ctx, put...)
	items, e := c.take(ctx, q, n)
	if err := errors.Join(err, e); err != nil {
		return err
	}
	err = errors.Join(q.Bury(ctx, "because", items[:n/2]...))
	for _, it := range items[n/2:] {
		err = errors.Join(err, q.Bury(ctx, "because", it))
	}
	err = errors.Join(err, deadAre(ctx, q, 1, want[0]), deadAre(ctx, q, n/2+1, want[:n/2+1]...), deadAre(ctx, q, 2*n, want...))
	c.Kill(q)
	return errors.Join(err, during("of another taker", deadAre(ctx, c.taker(), 2*n, want...)))
}

func queueConcurrent(ctx context.Context, c *crew) error {
	const goroutines, each = 6, 20
	q, l := c.taker(), newLedger()
	err := l.put(ctx, q, goroutines*each, "k", "other")
	var all []message.Item
	for len(all) < 2*goroutines*each { // taken, and dealt with below
		items, e := c.take(ctx, q, 2*goroutines*each-len(all))
		if err = errors.Join(err, e); err != nil {
			return err
		}
		l.took(q, items)
		all = append(all, items...)
	}
	errs := make([]error, goroutines)
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			for i := range each {
				two := all[2*(g*each+i):][:2]
				l.settled(two)
				_, e := q.Dead(ctx, 3)
				errs[g] = errors.Join(errs[g], e, q.Ack(ctx, two[0]), q.Bury(ctx, "because", two[1]), l.put(ctx, q, 1, fmt.Sprint("key ", g)))
			}
		})
	}
	wait, _ := c.work(ctx, l, 5, q) // meanwhile
	wg.Wait()
	err = errors.Join(err, errors.Join(errs...), wait())
	gone, e := q.Dead(ctx, 10*goroutines*each)
	return errors.Join(err, e, expect("the dead", len(gone), goroutines*each))
}
