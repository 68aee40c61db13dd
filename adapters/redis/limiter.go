package redis

import (
	"context"
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"

	goredis "github.com/redis/go-redis/v9"

	"github.com/gatehouse-go/gatehouse/gateway"
)

// LimiterOptions configure a [Limiter]. The zero value works.
type LimiterOptions struct {
	// Timeout is how long a Take waits for Redis; 0: 1 s.
	Timeout time.Duration
}

// Limiter is a gateway.Limiter on Redis: one bucket for all processes, on the server's clock. A bucket is
// one key, which is there while it is not full. A Take is one round trip; those of one process that come
// while others are on their way go together.
//
// It is safe for concurrent use. Make it with [NewLimiter]; Close ends it.
type Limiter struct {
	name   string
	within time.Duration
	crew   *crew
	gangs  [limiterSlots]gang
}

// limiterSlots is over how many slots of a cluster the buckets are spread: so one server that is away holds up its own.
const limiterSlots = 64

var _ gateway.Limiter = (*Limiter)(nil)

// NewLimiter returns the limiter that has this name, which has no braces: it panics otherwise. The client
// stays the caller's: close it after the Limiter.
func NewLimiter(client goredis.UniversalClient, name string, o LimiterOptions) *Limiter {
	if name == "" || strings.ContainsAny(name, "{}") {
		panic(ErrName)
	}
	if o.Timeout <= 0 {
		o.Timeout = time.Second
	}
	l := &Limiter{name: name, within: o.Timeout, crew: newCrew()}
	for i := range l.gangs {
		l.gangs[i] = gang{client: client, crew: l.crew, within: o.Timeout}
	}
	return l
}

// Take is of gateway.Limiter.
func (l *Limiter) Take(ctx context.Context, key string, rate gateway.Rate, n int) (time.Duration, error) {
	if rate.Burst < 1 || rate.Per <= 0 || n < 1 || n > rate.Burst {
		return 0, fmt.Errorf("%w: %d of %d per %v", gateway.ErrRate, n, rate.Burst, rate.Per)
	}
	hi, lo := bits.Mul64(uint64(n), uint64(rate.Per))
	cost, _ := bits.Div64(hi, lo, uint64(rate.Burst)) // at most Per
	short, cancel := context.WithTimeout(ctx, l.within)
	defer cancel()
	slot := hashTo(key, limiterSlots)
	bucket := limiterPrefix + l.name + "/" + strconv.Itoa(slot) + "}:" + key
	reply, err := l.gangs[slot].do(short, limitScript.call([]string{bucket}, int64(rate.Per), cost))
	if err != nil {
		return 0, wrap("take", ended(ctx, err))
	}
	wait, ok := reply.(int64)
	if !ok {
		return 0, fmt.Errorf("redis: take: redis answers %v", reply)
	}
	if wait <= 0 {
		return 0, nil
	}
	// The server counts microseconds.
	return min(time.Duration(wait)+2*time.Microsecond, rate.Per), nil
}

// Close ends the calls that are running. When Redis does not answer, it returns within 2 s.
func (l *Limiter) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), goodbye)
	defer cancel()
	return wrap("close limiter", l.crew.close(ctx))
}
