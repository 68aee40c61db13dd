package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// named is an event with an ID.
func named(topic, id string, n int) gateway.Record {
	rec := event(topic, n)
	rec.ID = id
	return rec
}

func retriedOnce(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	long := strings.Repeat("a long name, ", 100)
	err = errors.Join(b.Publish(ctx, named("a", "7", 0)), b.Publish(ctx, named("a", long, 1)), publish(ctx, b, "a", 2, 60),
		b.Publish(ctx, named("a", "7", 0)), b.Publish(ctx, named("a", long, 1)), b.Publish(ctx, named("a", "7", 0)))
	if err != nil {
		return err
	}
	late, err := openWatch(ctx, b, false, "a") // to which the first is past
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 8)
	for i := range errs {
		wg.Go(func() { errs[i] = b.Publish(ctx, named("a", "8", 60)) })
	}
	wg.Wait()
	err = errors.Join(errors.Join(errs...), b.Publish(ctx, named("a", "7", 0)), publish(ctx, b, "a", 61, 62))
	if err != nil {
		return err
	}
	all := w.await(62)
	late.await(2)
	settle()
	err = errors.Join(expect("the feed", list(w.records()), events("a", 0, 62)), expect("a later one", list(late.records()), events("a", 60, 62)))
	for _, from := range []int{-1, 0, 30, 59} {
		if from >= 0 {
			at = all[from].Position
		}
		got, e := b.Since(ctx, at)
		err = errors.Join(err, e, expect(fmt.Sprint("Since record ", from), list(ofTopic("a", got)), events("a", from+1, 62)))
	}
	return err
}

func retriedElsewhere(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	topics := []string{"a", "b", "ab", "a7"}
	for _, topic := range topics {
		_, e := w.Follow(ctx, topic)
		err = errors.Join(err, e, b.Publish(ctx, named(topic, "7", 0)), b.Publish(ctx, named(topic, "77", 1)), b.Publish(ctx, event(topic, 2)), b.Publish(ctx, event(topic, 2)))
	}
	if err != nil {
		return err
	}
	for _, topic := range topics {
		w.awaitOf(topic, 4)
		want := list([]gateway.Record{event(topic, 0), event(topic, 1), event(topic, 2), event(topic, 2)})
		err = errors.Join(err, expect("topic "+topic, list(ofTopic(topic, w.records())), want))
	}
	got, e := b.Since(ctx, at)
	return errors.Join(err, e, expect("Since, of topic a", len(ofTopic("a", got)), 4))
}
