package gatewaytest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway"
)

func sinceAll(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	for n := range 20 {
		if err := publish(ctx, b, "a", n, n+1); err != nil {
			return err
		}
		got, err := b.Since(ctx, at)
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", 0, n+1))); err != nil {
			return err
		}
		for i, rec := range w.await(n + 1) {
			if err := expect("the position in Since", ofTopic("a", got)[i].Position, rec.Position); err != nil {
				return err
			}
		}
	}
	return nil
}

func sinceBehind(ctx context.Context, b gateway.Broker) error {
	w, _, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	if err := publish(ctx, b, "a", 0, 10); err != nil {
		return err
	}
	for i, rec := range w.await(10) {
		got, e := b.Since(ctx, rec.Position)
		err = errors.Join(err, e, expect(fmt.Sprint("behind record ", i), list(ofTopic("a", got)), events("a", i+1, 10)))
	}
	return err
}

func sinceNone(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	none, err := b.Since(ctx, at)
	err = errors.Join(err, expect("before anything was published", list(none), ""), publish(ctx, b, "a", 0, 3))
	if got := w.await(3); len(got) == 3 {
		none, e := b.Since(ctx, got[2].Position)
		err = errors.Join(err, e, expect("behind the newest", list(none), ""))
	}
	return err
}

func sinceGap(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	const n = 3000
	for to := 500; to <= n; to += 500 {
		if err := publish(ctx, b, "a", to-500, to); err != nil {
			return err
		}
		got, err := b.Since(ctx, at)
		if errors.Is(err, gateway.ErrGap) {
			continue // it keeps fewer
		}
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", 0, to))); err != nil {
			return err
		}
	}
	whole := w.await(n)
	for _, i := range []int{0, 1, n / 2, n - 100, n - 2} { // what is kept may begin anywhere
		got, err := b.Since(ctx, whole[i].Position)
		if errors.Is(err, gateway.ErrGap) {
			continue
		}
		if err := errors.Join(err, expect("Since", list(ofTopic("a", got)), events("a", i+1, n))); err != nil {
			return err
		}
	}
	return nil
}

func sinceEpoch(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if w == nil {
		return err
	}
	err = publish(ctx, b, "a", 0, 3)
	for _, other := range []uint64{at.Epoch + 1, at.Epoch - 1} {
		from := gateway.Position{Partition: at.Partition, Epoch: other, Offset: at.Offset}
		if from.Epoch == 0 {
			continue // that is no place at all
		}
		if got, e := b.Since(ctx, from); !errors.Is(e, gateway.ErrGap) {
			err = errors.Join(err, fmt.Errorf("from Since(%+v): %d records, %v, want ErrGap", from, len(got), e))
		}
	}
	return err
}

func brokerConcurrently(ctx context.Context, b gateway.Broker) error {
	steady, err := openWatch(ctx, b, false, "a")
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() {
			own := fmt.Sprint("own", i)
			for n := range 20 {
				w, err := openWatch(ctx, b, false, own, "a")
				if err != nil {
					errs[i] = err
					return
				}
				at, e1 := w.Follow(ctx, "a")
				errs[i] = errors.Join(errs[i], e1, publish(ctx, b, own, n, n+1), publish(ctx, b, "a", n, n+1))
				if !at.IsZero() {
					if _, err := b.Since(ctx, at); err != nil && !errors.Is(err, gateway.ErrGap) {
						errs[i] = errors.Join(errs[i], err)
					}
				}
				errs[i] = errors.Join(errs[i], w.Unfollow(ctx, "a"))
				w.awaitOf(own, 1) // others' of topic a may come first
				errs[i] = errors.Join(errs[i], w.Close(ctx), expect("its own topic", list(ofTopic(own, w.records())), events(own, n, n+1)))
			}
		})
	}
	wg.Wait()
	return errors.Join(errors.Join(errs...), expect("what came meanwhile", len(steady.await(80)), 80))
}

func brokerContext(ctx context.Context, b gateway.Broker) error {
	w, at, err := withHistory(ctx, b)
	if err != nil {
		return err
	}
	ended, cancel := context.WithCancel(ctx)
	cancel()
	if err := b.Publish(ended, event("a", 0)); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("what Publish returned: %v", err)
	}
	if w == nil {
		return nil
	}
	if _, err := b.Since(ended, at); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("what Since returned: %v", err)
	}
	return nil
}
