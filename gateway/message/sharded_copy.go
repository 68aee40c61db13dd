package message

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Moved is how much has been moved, or cleared.
type Moved struct {
	Channels int // copied, though nothing was missing; or of which something was deleted
	Messages int // written to the new store, or deleted from it or the old one
}

// copied is how many messages of a channel are compared, and copied, while its writes wait.
const copied = 200

var errPlaced = errors.New("message: another placement was put in force meanwhile")

// Copy makes the second store of each of the channels that have two the same as the first, also
// where it was another: what is there already costs a look. Writes of a channel wait while 200
// of its messages are compared and copied, no longer; they reach both stores, so that a channel once
// copied stays the same. Those without two stores are skipped. channels must yield all that were
// written to before the placement came into force; to yield others, or one twice, does no harm.
//
// An error, of channels, a store or ctx, ends it. It may be called again, and goes on.
func (s *Sharded) Copy(ctx context.Context, channels iter.Seq2[string, error]) (moved Moved, err error) {
	p, err := s.begin(ctx, false)
	if err != nil {
		return moved, err
	}
	s.end(p, false)
	for channel, err := range channels {
		if err != nil {
			return moved, err
		}
		main, also := p.owners(channel)
		if also == "" {
			continue
		}
		n, err := s.copyChannel(ctx, p, channel)
		moved.Messages += n
		if err != nil {
			s.setBehind(channel, true)
			return moved, fmt.Errorf("message: copy channel %q from node %q to %q: %w", channel, main, also, err)
		}
		moved.Channels++
	}
	return moved, nil
}

// copyChannel goes from the newest messages to the oldest.
func (s *Sharded) copyChannel(ctx context.Context, p *placed, channel string) (moved int, err error) {
	s.setBehind(channel, false) // a write that fails from now on says so again
	for before := ID(0); ; {
		low, n, err := s.copyPage(ctx, p, channel, before)
		moved += n
		if err != nil || low == 0 {
			return moved, err
		}
		before = low
	}
}

// copyPage makes a page before an id the same in both stores, and returns its lowest id, or 0 for
// the last page.
func (s *Sharded) copyPage(ctx context.Context, p *placed, channel string, before ID) (low ID, moved int, err error) {
	now, err := s.begin(ctx, true)
	if err != nil {
		return 0, 0, err
	}
	defer s.end(now, true)
	if now != p {
		return 0, 0, errPlaced
	}
	give, err := s.turns.take(ctx, channel)
	if err != nil {
		return 0, 0, err
	}
	defer give()

	ctx = WithStaleness(ctx, 0)
	main, also := p.owners(channel)
	from, to := p.Stores[main], p.Stores[also]
	have, err := from.Page(ctx, channel, Query{Before: before, Limit: copied})
	if err != nil {
		return 0, 0, err
	}
	if len(have) == copied {
		low = have[0].ID
	}
	there, err := between(ctx, to, channel, low, before)
	if err != nil {
		return 0, 0, err
	}
	missing, extra := difference(have, there)
	if len(extra) > 0 {
		if _, err := to.Delete(ctx, channel, extra...); err != nil {
			return 0, 0, err
		}
	}
	if len(missing) > 0 {
		if err := to.Append(ctx, channel, missing); err != nil {
			return 0, len(extra), err
		}
	}
	return low, len(missing) + len(extra), nil
}

// between returns the messages of a channel from low up to before, or to the newest if that is 0.
func between(ctx context.Context, s Store, channel string, low, before ID) (all []Message, err error) {
	for {
		page, err := s.Page(ctx, channel, Query{Before: before, Limit: copied})
		if err != nil {
			return nil, err
		}
		first, _ := find(page, low)
		all = append(page[first:], all...)
		if first > 0 || len(page) < copied {
			return all, nil
		}
		before = page[0].ID
	}
}

// difference returns what a store that has there lacks of have, and what it has too much; a message
// that is not the same is both.
func difference(have, there []Message) (missing []Message, extra []ID) {
	for _, m := range there {
		if i, found := find(have, m.ID); !found || !same(have[i], m) {
			extra = append(extra, m.ID)
		}
	}
	for _, m := range have {
		if i, found := find(there, m.ID); !found || !same(there[i], m) {
			missing = append(missing, m)
		}
	}
	return missing, extra
}

func same(a, b Message) bool {
	return a.Author == b.Author && a.Content == b.Content && a.Nonce == b.Nonce &&
		bytes.Equal(a.Data, b.Data) && a.Edited.UnixMilli() == b.Edited.UnixMilli()
}

// Clear deletes channels from where they were: from the stores of their former owners, unless
// these have them in the placement in force too. The former ring's nodes must have stores in it.
// Other processes must have finished step 4 of [Sharded.Place]. It may be called again, and goes on.
func (s *Sharded) Clear(ctx context.Context, former *shard.Ring, channels iter.Seq2[string, error]) (moved Moved, err error) {
	ctx = WithStaleness(ctx, 0)
	for channel, err := range channels {
		if err != nil {
			return moved, err
		}
		n, err := s.clearChannel(ctx, former.Owner(channel), channel)
		moved.Messages += n
		if err != nil {
			return moved, fmt.Errorf("message: clear channel %q from node %q: %w", channel, former.Owner(channel), err)
		}
		if n > 0 {
			moved.Channels++
		}
	}
	return moved, nil
}

func (s *Sharded) clearChannel(ctx context.Context, node, channel string) (moved int, err error) {
	for {
		n, err := s.clearPage(ctx, node, channel)
		moved += n
		if err != nil || n == 0 {
			return moved, err
		}
	}
}

// clearPage deletes some messages and returns how many.
func (s *Sharded) clearPage(ctx context.Context, node, channel string) (int, error) {
	p, err := s.begin(ctx, true)
	if err != nil {
		return 0, err
	}
	defer s.end(p, true)
	if main, also := p.owners(channel); node == main || node == also {
		return 0, nil
	}
	store := p.Stores[node]
	if store == nil {
		return 0, errors.New("message: the placement has no store of this node")
	}
	page, err := store.Page(ctx, channel, Query{Limit: MaxPage})
	if err != nil || len(page) == 0 {
		return 0, err
	}
	ids := make([]ID, len(page))
	for i, m := range page {
		ids[i] = m.ID
	}
	if _, err := store.Delete(ctx, channel, ids...); err != nil {
		return 0, err
	}
	return len(ids), nil
}
