package message

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/gatehouse-go/gatehouse/shard"
)

// Reshard moves channels to where next, without Also, says, while they are read and written on, and
// deletes them where they were. It is for one process that alone uses the stores; [Sharded.Place]
// has the steps for several. channels yields every channel that there is, and is gone through
// twice; those that appear meanwhile may be left out.
//
// commit, when all has been copied, writes down that new processes are to start with next; while
// it runs, both rings have everything. If it fails, both are kept up to date, and the same
// Reshard, called again, asks it again. Nil: there is nothing to write down.
//
// A call that ends earlier, by ctx or by an error, has changed nothing but what it left in stores that
// are not read; called again, it finds that there. The process killed at any moment loses nothing that
// was acknowledged, whether it starts with the old ring, or, once commit has begun, with the new one. If
// deleting fails, next is in force, and [Sharded.Clear] goes on.
//
// It returns what has been copied.
func (s *Sharded) Reshard(ctx context.Context, next Placement, channels iter.Seq2[string, error], commit func(context.Context) error) (moved Moved, err error) {
	now := s.Placement()
	former := now.Ring
	switch {
	case next.Also != nil:
		return moved, errors.New("message: Reshard ends with one ring")
	case next.Ring == nil:
		return moved, next.check()
	case now.Also != nil && sameRing(now.Ring, next.Ring): // of a call whose commit failed
		former = now.Also
	case now.Also != nil && !sameRing(now.Also, next.Ring):
		return moved, errors.New("message: channels are moving elsewhere")
	case !sameRing(now.Ring, next.Ring):
		if moved, err = s.moveTo(ctx, next, channels); err != nil {
			return moved, errors.Join(err, s.retreat(ctx, Placement{Ring: now.Ring, Stores: now.Stores}))
		}
	}
	if commit != nil {
		if err := commit(ctx); err != nil {
			return moved, fmt.Errorf("message: commit: %w", err)
		}
	}
	all := maps.Clone(now.Stores)
	maps.Copy(all, next.Stores)
	if err := s.placeGently(ctx, Placement{Ring: next.Ring, Stores: all}); err != nil {
		return moved, err
	}
	_, err = s.Clear(ctx, former, channels)
	return moved, err
}

// moveTo copies what moves and puts next in force, and the present placement beside it.
func (s *Sharded) moveTo(ctx context.Context, next Placement, channels iter.Seq2[string, error]) (moved Moved, err error) {
	now := s.Placement()
	all := maps.Clone(now.Stores)
	maps.Copy(all, next.Stores)
	if err := s.placeGently(ctx, Placement{Ring: now.Ring, Also: next.Ring, Stores: all}); err != nil {
		return moved, err
	}
	if moved, err = s.Copy(ctx, channels); err != nil {
		return moved, err
	}
	for {
		err := s.placeGently(ctx, Placement{Ring: next.Ring, Also: now.Ring, Stores: all})
		if !errors.Is(err, ErrBehind) {
			return moved, err
		}
		again, err := s.Copy(ctx, withoutErrors(s.Behind()))
		moved.Messages += again.Messages
		if err != nil {
			return moved, err
		}
	}
}

// patience is how long writes wait for one that takes its time, before they get a turn of the
// same length.
const patience = time.Second

// placeGently places, but has no writes wait longer than patience.
func (s *Sharded) placeGently(ctx context.Context, next Placement) error {
	for {
		try, cancel := context.WithTimeout(ctx, patience)
		err := s.Place(try, next)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return err
		}
		sleep(ctx, patience)
	}
}

// retreat goes back to one ring, though ctx may have ended.
func (s *Sharded) retreat(ctx context.Context, back Placement) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*patience)
	defer cancel()
	if err := s.placeGently(ctx, back); err != nil {
		return fmt.Errorf("message: channels are still written to in two stores: %w", err)
	}
	return nil
}

func sameRing(a, b *shard.Ring) bool { return slices.Equal(a.Nodes(), b.Nodes()) }

func withoutErrors(channels []string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for _, channel := range channels {
			if !yield(channel, nil) {
				return
			}
		}
	}
}
