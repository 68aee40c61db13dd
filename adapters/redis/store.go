package redis

import (
	"context"

	"github.com/gatehouse-go/gatehouse/gateway/message"
)

// Store returns a Store that does what s does, and tells the other nodes of the channels that it
// has written to, also when that failed: it may have been done.
func (i *Invalidations) Store(s message.Store) message.Store { return toldStore{s, i} }

type toldStore struct {
	message.Store
	to *Invalidations
}

func (s toldStore) Append(ctx context.Context, channel string, batch []message.Message) error {
	defer s.to.Changed(channel)
	return s.Store.Append(ctx, channel, batch)
}

func (s toldStore) Edit(ctx context.Context, m message.Message) error {
	defer s.to.Changed(m.Channel)
	return s.Store.Edit(ctx, m)
}

func (s toldStore) Delete(ctx context.Context, channel string, ids ...message.ID) ([]message.ID, error) {
	defer s.to.Changed(channel)
	return s.Store.Delete(ctx, channel, ids...)
}
