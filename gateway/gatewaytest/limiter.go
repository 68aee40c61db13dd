package gatewaytest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// Limiter tests a limiter: one case for each sentence of its contract. open
// returns one for each case, which may share its buckets with others: keys are
// new each time. It takes about four seconds, beside the limiter's own time.
func Limiter(t *testing.T, open func(t *testing.T) gateway.Limiter) {
	runKit(t, "limiter", limiterCases, open)
}

var limiterCases = []check[gateway.Limiter]{
	{"UnknownIsFull", "Take finds a full bucket for a key that it does not know.", limiterUnknownIsFull},
	{"Empty", "Take returns a positive duration, at most rate.Per, when there are not enough.", limiterEmpty},
	{"AllOrNothing", "Take takes all n of them and returns 0, or takes none.", limiterAllOrNothing},
	{"HintIsEnough", "After it there are, unless somebody else was quicker.", limiterHintIsEnough},
	{"NeverWaits", "Take never waits for tokens.", limiterNeverWaits},
	{"Evenly", "Tokens come back evenly.", limiterEvenly},
	{"UpToBurst", "Tokens come back up to rate.Burst.", limiterUpToBurst},
	{"KeysApart", "Take keeps the buckets of different keys apart, whatever bytes the keys are.", limiterKeysApart},
	{"FollowsRate", "Take follows the rate of each call: of what was taken under another, at most rate.Per counts.", limiterFollowsRate},
	{"Concurrent", "Of callers at the same time, Take lets no more through than there are tokens.", limiterConcurrent},
	{"Refuses", "Take refuses n, Burst and Per that make no sense with ErrRate, and takes nothing.", limiterRefuses},
	{"Context", "Take returns an error that wraps ctx.Err() when ctx has ended.", limiterContext},
}

// hourly is a rate at which nothing comes back while a case runs.
func hourly(burst int) gateway.Rate { return gateway.Rate{Burst: burst, Per: time.Hour} }

// bucket is a key that nobody has used, and how it is taken from.
type bucket struct {
	l    gateway.Limiter
	key  string
	rate gateway.Rate
}

func newBucket(l gateway.Limiter, rate gateway.Rate) bucket {
	return bucket{l, "gatewaytest:" + rand.Text(), rate}
}

// take wants n tokens to be there.
func (b bucket) take(ctx context.Context, n int) error {
	switch wait, err := b.l.Take(ctx, b.key, b.rate, n); {
	case err != nil:
		return fmt.Errorf("take %d: %w", n, err)
	case wait != 0:
		return fmt.Errorf("take %d of %d: come back in %v, want them now", n, b.rate.Burst, wait)
	}
	return nil
}

// lack wants n tokens not to be there, and returns when they are.
func (b bucket) lack(ctx context.Context, n int) (time.Duration, error) {
	wait, err := b.l.Take(ctx, b.key, b.rate, n)
	switch {
	case err != nil:
		return 0, fmt.Errorf("take %d: %w", n, err)
	case wait <= 0 || wait > b.rate.Per:
		return 0, fmt.Errorf("take %d of an empty bucket: come back in %v, want more than 0 and at most %v", n, wait, b.rate.Per)
	}
	return wait, nil
}

func (b bucket) lacks(ctx context.Context, n int) error {
	_, err := b.lack(ctx, n)
	return err
}

// count takes tokens one by one and returns how many there were.
func (b bucket) count(ctx context.Context) (n int, err error) {
	for n <= 2*b.rate.Burst {
		if wait, err := b.l.Take(ctx, b.key, b.rate, 1); err != nil || wait != 0 {
			return n, err
		}
		n++
	}
	return n, nil
}

func limiterUnknownIsFull(ctx context.Context, l gateway.Limiter) error {
	return errors.Join(newBucket(l, hourly(7)).take(ctx, 7), newBucket(l, hourly(1)).take(ctx, 1))
}

func limiterEmpty(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, hourly(3))
	return errors.Join(b.take(ctx, 1), b.take(ctx, 2), b.lacks(ctx, 1), b.lacks(ctx, 3))
}

func limiterAllOrNothing(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, hourly(5))
	return errors.Join(b.take(ctx, 3), b.lacks(ctx, 3), b.take(ctx, 2), b.lacks(ctx, 1))
}

func limiterHintIsEnough(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, gateway.Rate{Burst: 2, Per: 400 * time.Millisecond})
	if err := b.take(ctx, 2); err != nil {
		return err
	}
	wait, err := b.lack(ctx, 1)
	if err != nil {
		return err
	}
	<-time.After(wait)
	return b.take(ctx, 1)
}

func limiterNeverWaits(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, gateway.Rate{Burst: 1, Per: time.Minute})
	if err := b.take(ctx, 1); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	return b.lacks(ctx, 1)
}

func limiterEvenly(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, gateway.Rate{Burst: 10, Per: time.Second})
	began := time.Now()
	if err := b.take(ctx, 10); err != nil {
		return err
	}
	emptied := time.Now()
	<-time.After(350 * time.Millisecond)
	least := int(time.Since(emptied) / (100 * time.Millisecond))
	n, err := b.count(ctx)
	if err != nil {
		return err
	}
	most := int(time.Since(began)/(100*time.Millisecond)) + 1
	if n < min(least, 10) || n > most {
		return fmt.Errorf("after 350 ms of a second, %d of 10 tokens are back, want %d to %d", n, least, most)
	}
	return nil
}

func limiterUpToBurst(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, gateway.Rate{Burst: 1000, Per: 2 * time.Second})
	if err := b.take(ctx, 1000); err != nil {
		return err
	}
	<-time.After(3 * time.Second)
	if err := b.take(ctx, 1000); err != nil {
		return err
	}
	return b.lacks(ctx, 1000)
}

func limiterKeysApart(ctx context.Context, l gateway.Limiter) error {
	base := newBucket(l, hourly(1))
	errs := []error{}
	for _, suffix := range []string{"", "\x00", "a", "A", " a", "a ", "ä", "a\u0308", "\xff", "{a}", "a:b", "a\nb", "*", "%s", "'\"\\"} {
		b := base
		b.key += suffix
		if err := errors.Join(b.take(ctx, 1), b.lacks(ctx, 1)); err != nil {
			errs = append(errs, fmt.Errorf("key ending in %q: %w", suffix, err))
		}
	}
	return errors.Join(errs...)
}

func limiterFollowsRate(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, hourly(1))
	if err := b.take(ctx, 1); err != nil {
		return err
	}
	b.rate.Per = 100 * time.Millisecond
	if wait, err := b.l.Take(ctx, b.key, b.rate, 1); err != nil || wait > b.rate.Per {
		return fmt.Errorf("under a rate of one in 100 ms: come back in %v, %v", wait, err)
	}
	return nil
}

func limiterConcurrent(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, hourly(20))
	var through, failed atomic.Int32
	var wg sync.WaitGroup
	for range 60 {
		wg.Go(func() {
			switch wait, err := b.l.Take(ctx, b.key, b.rate, 1); {
			case err != nil:
				failed.Add(1)
			case wait == 0:
				through.Add(1)
			}
		})
	}
	wg.Wait()
	return errors.Join(expect("callers let through, of 60 with 20 tokens", through.Load(), 20), expect("calls that failed", failed.Load(), 0))
}

func limiterRefuses(ctx context.Context, l gateway.Limiter) error {
	b := newBucket(l, hourly(2))
	var errs []error
	for _, tt := range []struct {
		rate gateway.Rate
		n    int
	}{
		{hourly(2), 0}, {hourly(2), -1}, {hourly(2), 3}, {hourly(0), 1}, {hourly(-1), 1},
		{gateway.Rate{Burst: 2}, 1}, {gateway.Rate{Burst: 2, Per: -time.Second}, 1},
	} {
		if _, err := l.Take(ctx, b.key, tt.rate, tt.n); !errors.Is(err, gateway.ErrRate) {
			errs = append(errs, fmt.Errorf("take %d at %+v: got %v, want ErrRate", tt.n, tt.rate, err))
		}
	}
	return errors.Join(append(errs, b.take(ctx, 2))...)
}

func limiterContext(ctx context.Context, l gateway.Limiter) error {
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	b := newBucket(l, hourly(1))
	if _, err := l.Take(ctx, b.key, b.rate, 1); !errors.Is(err, context.Canceled) {
		return fmt.Errorf("with a context that was cancelled: got %v", err)
	}
	return nil
}
