package message

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Sharded is a Store that spreads channels over several others: each channel is in the store of
// the node that owns it on a ring, whole. It passes on what that store guarantees and returns.
//
// Where the stores are more, fewer or others, [Sharded.Reshard] moves the channels that the
// rings' plan names, and no others, while everything is read and written on. It is safe for
// concurrent use. Make one with [NewSharded].
//
// It knows of no messages across channels, and it does not find out which channels there are:
// who moves them lists them.
type Sharded struct {
	turns   turns         // of channels that are written to in two stores
	placing chan struct{} // held by the one who changes the placement

	mu      sync.Mutex // never held while a store is called or somebody waits
	now     *placed
	earlier map[*placed]struct{} // with calls that are still under way
	gate    chan struct{}        // if not nil, writes wait until it is closed
	writing int                  // writes under way
	quiet   chan struct{}        // if not nil, closed when there are none
	behind  map[string]struct{}  // channels that may differ in their two stores
}

// Placement says which store has a channel.
type Placement struct {
	// Ring's owner of a channel has it, and answers its pages.
	Ring *shard.Ring

	// Also, if set, is a ring whose owner of the channel, if it is another, is written to as
	// well: a write returns nil when both have done it. It is what channels move to, or from.
	Also *shard.Ring

	// Stores are those of the rings' nodes, by their ids. There may be more.
	Stores map[string]Store
}

// placed is a placement that is, or was, in force.
type placed struct {
	Placement
	calls int           // under way; guarded by Sharded.mu
	idle  chan struct{} // closed when another is in force and no call is under way
}

func (p Placement) check() error {
	if p.Ring == nil {
		return errors.New("message: a placement needs a ring")
	}
	for _, ring := range []*shard.Ring{p.Ring, p.Also} {
		if ring == nil {
			continue
		}
		for _, node := range ring.Nodes() {
			if p.Stores[node.ID] == nil {
				return fmt.Errorf("message: a placement needs a store for node %q", node.ID)
			}
		}
	}
	return nil
}

// owners returns the nodes that have a channel; also is empty if there is one.
func (p Placement) owners(channel string) (main, also string) {
	main = p.Ring.Owner(channel)
	if p.Also != nil {
		also = p.Also.Owner(channel)
	}
	if also == main {
		also = ""
	}
	return main, also
}

// NewSharded returns a store of several. The error says what the placement lacks.
func NewSharded(p Placement) (*Sharded, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	p.Stores = maps.Clone(p.Stores)
	return &Sharded{
		placing: make(chan struct{}, 1),
		now:     &placed{Placement: p, idle: make(chan struct{})},
		earlier: make(map[*placed]struct{}),
		behind:  make(map[string]struct{}),
	}, nil
}

// Page is of [Store].
func (s *Sharded) Page(ctx context.Context, channel string, q Query) ([]Message, error) {
	p, err := s.begin(ctx, false)
	if err != nil {
		return nil, err
	}
	defer s.end(p, false)
	main, _ := p.owners(channel)
	return p.Stores[main].Page(ctx, channel, q)
}

// Append is of [Store].
func (s *Sharded) Append(ctx context.Context, channel string, batch []Message) error {
	return s.write(ctx, channel, func(main, also Store) (bool, error) {
		if also == nil {
			return true, main.Append(ctx, channel, batch)
		}
		return appendBoth(ctx, channel, batch, main, also)
	})
}

// Edit is of [Store].
func (s *Sharded) Edit(ctx context.Context, m Message) error {
	return s.write(ctx, m.Channel, func(main, also Store) (bool, error) {
		if also != nil { // where it may not be yet
			if err := also.Edit(ctx, m); err != nil && !errors.Is(err, ErrNotFound) {
				return false, err
			}
		}
		err := main.Edit(ctx, m)
		return err == nil || errors.Is(err, ErrNotFound), err
	})
}

// Delete is of [Store].
func (s *Sharded) Delete(ctx context.Context, channel string, ids ...ID) (deleted []ID, err error) {
	err = s.write(ctx, channel, func(main, also Store) (bool, error) {
		if deleted, err = main.Delete(ctx, channel, ids...); err != nil || also == nil {
			return err == nil, err
		}
		_, err := also.Delete(ctx, channel, ids...)
		return err == nil, err
	})
	return deleted, err
}

// write does a write in the store of a channel, or in both. do reports whether they agree
// afterwards.
//
// What can be read is always in both, so that no call that was answered depends on which of them
// is read next, or after a crash: messages come to the one that is read last, and leave it first.
func (s *Sharded) write(ctx context.Context, channel string, do func(main, also Store) (bool, error)) error {
	p, err := s.begin(ctx, true)
	if err != nil {
		return err
	}
	defer s.end(p, true)
	main, also := p.owners(channel)
	if also == "" {
		_, err := do(p.Stores[main], nil)
		return err
	}
	give, err := s.turns.take(ctx, channel)
	if err != nil {
		return err
	}
	defer give()
	agree := false
	defer func() {
		if !agree {
			s.setBehind(channel, true)
		}
	}()
	agree, err = do(p.Stores[main], p.Stores[also])
	return err
}

// appendBoth gives to main what also has taken.
func appendBoth(ctx context.Context, channel string, batch []Message, main, also Store) (agree bool, err error) {
	refused := BatchError{}
	if err := also.Append(ctx, channel, batch); err != nil {
		var partly BatchError
		if !errors.As(err, &partly) {
			return false, err
		}
		maps.Copy(refused, partly)
	}
	taken, places := make([]Message, 0, len(batch)), make([]int, 0, len(batch))
	for i, m := range batch {
		if refused[i] == nil {
			taken, places = append(taken, m), append(places, i)
		}
	}
	agree = true
	if err := main.Append(ctx, channel, taken); err != nil {
		var partly BatchError
		if !errors.As(err, &partly) {
			return false, err
		}
		agree = false // also has what main refuses
		for i, why := range partly {
			refused[places[i]] = why
		}
	}
	if len(refused) > 0 {
		return agree, refused
	}
	return agree, nil
}

func (s *Sharded) setBehind(channel string, is bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, also := s.now.owners(channel); is && also != "" {
		s.behind[channel] = struct{}{}
	} else {
		delete(s.behind, channel)
	}
}
