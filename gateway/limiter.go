package gateway

import (
	"context"
	"time"
)

// Rate is the size and the speed of a bucket of tokens: Burst of them when it
// is full, and Burst come back, evenly, over Per.
type Rate struct {
	Burst int           // at least 1
	Per   time.Duration // above 0
}

// Limiter says how often something may happen: a bucket of tokens for each key.
// An implementation is safe for concurrent use, also by several processes if
// they share it. gatewaytest.Limiter proves one of your own.
//
// Take takes n tokens of the bucket of key, and:
//
//   - takes all n of them and returns 0, or takes none;
//   - returns a positive duration, at most rate.Per, when there are not enough:
//     after it there are, unless somebody else was quicker;
//   - never waits for tokens;
//   - finds a full bucket for a key that it does not know;
//   - lets tokens come back evenly, up to rate.Burst;
//   - keeps the buckets of different keys apart, whatever bytes the keys are;
//   - follows the rate of each call: what was taken under another is a time
//     until the bucket is full, of which at most rate.Per counts;
//   - of callers at the same time, lets no more through than there are tokens;
//   - refuses n below 1 or above rate.Burst, a Burst below 1 and a Per that is
//     not above 0 with [ErrRate], and takes nothing;
//   - returns an error that wraps ctx.Err() when ctx has ended. After this and
//     any other error but ErrRate, the tokens may have been taken.
type Limiter interface {
	Take(ctx context.Context, key string, rate Rate, n int) (retryAfter time.Duration, err error)
}
