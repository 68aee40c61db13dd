package messagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

func putKeepsEverything(ctx context.Context, c *crew) error {
	var data []byte
	for b := range 256 {
		data = append(data, byte(b))
	}
	want := make(map[string]message.Item)
	for i, key := range oddNames {
		want[key] = message.Item{Key: key, ID: "id of " + oddNames[len(oddNames)-1-i], Data: append([]byte(key), data...)}
	}
	want["none"] = message.Item{Key: "none"}
	want["large"] = message.Item{Key: "large", ID: "large", Data: bytes.Repeat(data, 512)}
	q := c.taker()
	var err error
	for _, it := range want {
		err = errors.Join(err, during("Put", q.Put(ctx, it)))
	}
	got, e := c.take(ctx, q, len(want))
	err = errors.Join(err, e, during("Ack", q.Ack(ctx, got...)))
	for _, it := range got {
		w, there := want[it.Key]
		delete(want, it.Key)
		err = errors.Join(err, expect("an item with key "+it.Key, there, true), expect("ID", it.ID, w.ID), expect("Data", string(it.Data), string(w.Data)))
	}
	return err
}

func putOrder(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	err := errors.Join(l.put(ctx, q, 150, "k"), l.put(ctx, q, 1, "k"), l.put(ctx, q, 30, "k", "other"), l.put(ctx, q, 2, "other", "k"))
	wait, _ := c.work(ctx, l, 7, q)
	return errors.Join(err, wait())
}

func putByMany(ctx context.Context, c *crew) error {
	const takers, goroutines, puts = 2, 4, 25
	l := newLedger()
	var all []message.Queue
	for range takers {
		all = append(all, c.taker())
	}
	errs := make([]error, takers*goroutines)
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for range puts {
				errs[i] = errors.Join(errs[i], l.put(ctx, all[i%takers], 2, fmt.Sprint("key ", i)))
			}
		})
	}
	wg.Wait()
	wait, _ := c.work(ctx, l, 20, all...)
	return errors.Join(errors.Join(errs...), wait())
}

func putSameID(ctx context.Context, c *crew) error {
	q := c.taker()
	err := q.Put(ctx,
		message.Item{Key: "a", ID: "1", Data: []byte("first")},
		message.Item{Key: "b", ID: "1", Data: []byte("second")},
		message.Item{Key: "a", Data: []byte("third")},
		message.Item{Key: "a", Data: []byte("third")},
		message.Item{Key: "b", Data: []byte("third")})
	got, e := c.take(ctx, q, 5)
	return errors.Join(err, e, expect("items", len(got), 5))
}

func putterDies(ctx context.Context, c *crew) error {
	putter, l := c.taker(), newLedger()
	err := l.put(ctx, putter, 10, "a", "b")
	c.Kill(putter)
	wait, _ := c.work(ctx, l, 3, c.taker())
	return errors.Join(err, wait())
}

func nothing(ctx context.Context, c *crew) error {
	q, l := c.taker(), newLedger()
	err := errors.Join(during("Put", q.Put(ctx)), during("Ack", q.Ack(ctx)), during("Bury", q.Bury(ctx, "why")))
	gone, e := q.Dead(ctx, 10)
	err = errors.Join(err, during("Dead", e), expect("the dead", len(gone), 0), l.put(ctx, q, 1, "k"))
	wait, _ := c.work(ctx, l, 3, q)
	return errors.Join(err, wait())
}
