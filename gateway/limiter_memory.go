package gateway

import (
	"context"
	"fmt"
	"hash/maphash"
	"math/bits"
	"sync"
	"time"
)

// MemoryLimiter is the [Limiter] of one process. A bucket is one time, at which
// it will be full (the generic cell rate algorithm of ITU-T I.371); one that is
// full is forgotten, as far as a Take comes by: each looks at two others. So it
// holds the keys of about the last Per, at some 100 bytes each, and at most a
// million of them: beyond that a new key takes the place of one that is nearly
// full, whose bucket is then full. It has no goroutine and needs no Close.
type MemoryLimiter struct {
	seed   maphash.Seed
	start  time.Time // times are since then: steps of the clock do not matter
	shards [limiterShards]limiterShard
}

const (
	limiterShards = 64
	limiterKeys   = 1 << 20 / limiterShards // of one shard
	limiterSweep  = 2                       // buckets that a Take looks at to forget them
	limiterSample = 8                       // buckets of which the fullest gives way
)

type limiterShard struct {
	mu      sync.Mutex
	index   map[string]int // where in buckets
	buckets []tokenBucket
	hand    int // the next bucket to look at
	peak    int // what index was made for: a map does not shrink
}

type tokenBucket struct {
	key  string
	full time.Duration // when it will be, since start
}

// NewMemoryLimiter returns a limiter all of whose buckets are full.
func NewMemoryLimiter() *MemoryLimiter {
	return &MemoryLimiter{seed: maphash.MakeSeed(), start: time.Now()}
}

// Take implements [Limiter]. It allocates nothing for a key that it knows.
func (l *MemoryLimiter) Take(ctx context.Context, key string, rate Rate, n int) (time.Duration, error) {
	if err := ctx.Err(); err != nil {
		return 0, fmt.Errorf("gateway: take: %w", err)
	}
	cost, err := rate.cost(n)
	if err != nil {
		return 0, err
	}
	s := &l.shards[maphash.String(l.seed, key)%limiterShards]
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Since(l.start)
	s.sweep(now)
	return s.take(key, rate.Per, cost, now), nil
}

// cost is how long n tokens take to come back. It is rounded down, so that
// Burst tokens taken one by one never cost more than Per.
func (r Rate) cost(n int) (time.Duration, error) {
	if r.Burst < 1 || r.Per <= 0 || n < 1 || n > r.Burst {
		return 0, fmt.Errorf("%w: %d of %d per %v", ErrRate, n, r.Burst, r.Per)
	}
	hi, lo := bits.Mul64(uint64(n), uint64(r.Per))
	cost, _ := bits.Div64(hi, lo, uint64(r.Burst)) // at most Per, since n is at most Burst
	return time.Duration(cost), nil
}

// take does what Take says. mu is held.
func (s *limiterShard) take(key string, per, cost, now time.Duration) time.Duration {
	i, known := s.index[key]
	full := now
	if known {
		full = min(max(s.buckets[i].full, now), now+per)
	}
	full += cost
	if wait := full - per - now; wait > 0 {
		return wait
	}
	if known {
		s.buckets[i].full = full
	} else {
		s.add(tokenBucket{key, full})
	}
	return 0
}

// sweep forgets buckets that are full. mu is held.
func (s *limiterShard) sweep(now time.Duration) {
	for range min(limiterSweep, len(s.buckets)) {
		if s.turn().full <= now {
			s.forget(s.hand)
		} else {
			s.hand++
		}
	}
}

// turn returns the bucket at the hand, which goes round.
func (s *limiterShard) turn() *tokenBucket {
	if s.hand >= len(s.buckets) {
		s.hand = 0
	}
	return &s.buckets[s.hand]
}

func (s *limiterShard) add(b tokenBucket) {
	if len(s.buckets) >= limiterKeys {
		s.giveWay()
	}
	if s.index == nil {
		s.index = make(map[string]int)
	}
	s.index[b.key] = len(s.buckets)
	s.buckets = append(s.buckets, b)
	s.peak = max(s.peak, len(s.buckets))
}

// giveWay forgets the fullest of a few buckets.
func (s *limiterShard) giveWay() {
	fullest := -1
	for range limiterSample {
		if b := s.turn(); fullest < 0 || b.full < s.buckets[fullest].full {
			fullest = s.hand
		}
		s.hand++
	}
	s.forget(fullest)
}

// forget removes a bucket. The last one takes its place.
func (s *limiterShard) forget(i int) {
	last := len(s.buckets) - 1
	delete(s.index, s.buckets[i].key)
	if i < last {
		s.buckets[i] = s.buckets[last]
		s.index[s.buckets[i].key] = i
	}
	s.buckets[last] = tokenBucket{}
	s.buckets = s.buckets[:last]
	s.shrink()
}

// shrink gives the memory of a storm back when an eighth of it is left.
func (s *limiterShard) shrink() {
	if s.peak < 64 || len(s.buckets) > s.peak/8 {
		return
	}
	s.peak = len(s.buckets)
	s.buckets = append(make([]tokenBucket, 0, 2*s.peak), s.buckets...)
	s.index = make(map[string]int, 2*s.peak)
	for i := range s.buckets {
		s.index[s.buckets[i].key] = i
	}
}
