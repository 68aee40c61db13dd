package batch

import (
	"log/slog"
	"math"
	"time"
)

// Options say when a batch goes, how much is held, and what happens when a flush fails. The zero value works; a
// negative value switches the limit or feature off.
type Options struct {
	// MaxItems is the most items of one flush; a batch that has them goes at once. Default 100, negative: no limit.
	// It is cut to MaxPending.
	MaxItems int

	// MaxBytes is the most bytes of one flush as Hooks.Size counts them; a batch that reaches them goes at once.
	// An item larger than that goes alone. Default and negative: no limit. It needs a Size.
	MaxBytes int

	// MaxDelay is how long an item waits for others at most, counted from the oldest item of its batch until the
	// batch is due; a flush of the same key that still runs, or a Keyed with all its flushes busy, comes on top.
	// Default 100 ms. Negative: no waiting, a batch is what gathered while the flush before it ran.
	MaxDelay time.Duration

	// Leading sends the first item after a quiet MaxDelay at once, alone. Those that follow within MaxDelay
	// of the start of its flush wait for the end of that window.
	Leading bool

	// MaxPending bounds the items that are held, over all keys: waiting, being flushed and being retried.
	// Default 10,000, negative: no bound.
	MaxPending int

	// Concurrency is how many keys of a Keyed are flushed at a time. Waiting for a retry does not count. Default 4,
	// negative: no bound. A Batcher always flushes one batch at a time.
	Concurrency int

	// Retries is how often a failed batch is tried again before it goes to OnError. Default 3, negative: never.
	Retries int

	// Backoff is the wait before the first retry; it doubles with each further one, up to MaxBackoff, and each is
	// shortened by a random part of up to its half. Default 50 ms, negative: no wait.
	Backoff time.Duration

	// MaxBackoff bounds the wait before a retry. Default 5 s, negative: no bound.
	MaxBackoff time.Duration

	// Timeout bounds one try: it ends the context of the flush. Default 30 s, negative: no bound.
	Timeout time.Duration
}

// Hooks are the options that know the type of a Batcher's items; they stand apart so that Options needs no type
// argument. Each may be nil.
type Hooks[T any] struct {
	// Size gives an item's bytes for Options.MaxBytes. It is called once per item by Add and TryAdd, in their
	// caller's goroutine. Less than 0 counts as 0.
	Size func(item T) int

	// OnError takes a batch that is given up: its retries have failed, or Close had no time left for it (the error
	// then wraps ErrClosed). The slice belongs to OnError. It is called once per batch and without a lock held; its
	// items count as held until it returns, and Close waits for it. A panic in it is not caught. Nil writes the
	// number of items and the error to slog.Default.
	OnError func(items []T, err error)
}

// KeyedHooks are the Hooks of a Keyed: OnError is also told the key, and may be called for several keys at a time.
type KeyedHooks[K comparable, T any] struct {
	Size    func(item T) int
	OnError func(key K, items []T, err error)
}

// withDefaults replaces zero values by the defaults, and "off" by a value that needs no further case.
func (o Options) withDefaults() Options {
	o.MaxPending = limit(o.MaxPending, 10_000)
	o.MaxItems = min(limit(o.MaxItems, 100), o.MaxPending)
	o.MaxBytes = limit(o.MaxBytes, math.MaxInt)
	o.Concurrency = limit(o.Concurrency, 4)
	o.MaxDelay = span(o.MaxDelay, 100*time.Millisecond, 0)
	o.Backoff = span(o.Backoff, 50*time.Millisecond, 0)
	o.MaxBackoff = span(o.MaxBackoff, 5*time.Second, math.MaxInt64)
	o.Timeout = span(o.Timeout, 30*time.Second, 0)
	switch {
	case o.Retries == 0:
		o.Retries = 3
	case o.Retries < 0:
		o.Retries = 0
	}
	return o
}

func limit(n, zero int) int {
	switch {
	case n == 0:
		return zero
	case n < 0:
		return math.MaxInt
	}
	return n
}

func span(d, zero, off time.Duration) time.Duration {
	switch {
	case d == 0:
		return zero
	case d < 0:
		return off
	}
	return d
}

// given merges the optional last argument of NewKeyed and fills in what must not be nil.
func given[K comparable, T any](hooks []KeyedHooks[K, T], o Options) KeyedHooks[K, T] {
	var h KeyedHooks[K, T]
	switch len(hooks) {
	case 0:
	case 1:
		h = hooks[0]
	default:
		panic("batch: more than one set of hooks")
	}
	if o.MaxBytes > 0 && h.Size == nil {
		panic("batch: Options.MaxBytes needs a Size hook")
	}
	if h.OnError == nil {
		h.OnError = func(key K, items []T, err error) {
			slog.Default().Error("batch: items given up", "items", len(items), "key", key, "err", err)
		}
	}
	return h
}
