package cassandra

import (
	"context"
	"hash/maphash"
	"sync"
)

// turns keep the transactions of a channel apart: Cassandra lets one through at a time in each
// partition, and those that meet there hold each other up, until some are given up. Channels share a
// few of them.
type turns struct {
	once sync.Once
	seed maphash.Seed
	free [256]chan struct{} // each holds a token
}

// take waits for a turn; give ends it.
func (t *turns) take(ctx context.Context, channel string) (give func(), err error) {
	t.once.Do(func() {
		t.seed = maphash.MakeSeed()
		for i := range t.free {
			t.free[i] = make(chan struct{}, 1)
			t.free[i] <- struct{}{}
		}
	})
	turn := t.free[maphash.String(t.seed, channel)%uint64(len(t.free))]
	select {
	case <-turn:
		return func() { turn <- struct{}{} }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
