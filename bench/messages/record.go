package messages

import (
	"context"
	"sync"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// batch is one call of a store.
type batch struct {
	channel string
	size    int
}

// recorder is a store that notes the batches that it is given.
type recorder struct {
	message.Store
	mu      sync.Mutex
	batches []batch
}

func (r *recorder) Append(ctx context.Context, channel string, messages []message.Message) error {
	r.mu.Lock()
	r.batches = append(r.batches, batch{channel, len(messages)})
	r.mu.Unlock()
	return r.Store.Append(ctx, channel, messages)
}

// take returns what was noted, and forgets it.
func (r *recorder) take() []batch {
	r.mu.Lock()
	defer r.mu.Unlock()
	batches := r.batches
	r.batches = make([]batch, 0, len(batches))
	return batches
}
