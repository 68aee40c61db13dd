package message

import (
	"context"
	"maps"
)

// Placement returns what is in force.
func (s *Sharded) Placement() Placement {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.now.Placement
	p.Stores = maps.Clone(p.Stores)
	return p
}

// Place puts another placement in force. Writes wait meanwhile, for as long as those take that are
// under way; after it has returned nil, no call is under way that has begun before. If ctx ends, an
// error that wraps its own is returned: the old placement may be in force, or the new one while
// reads are under way that began before.
//
// It moves nothing: what channels move in a process of its own, [Sharded.Reshard] does with it.
// Several processes that share the stores go through the same steps, each when all have
// finished the one before:
//
//  1. Place the old ring, and Also the new one, in every process.
//  2. Copy, in every process, the channels that it writes to: nobody else may write to a
//     channel from here to step 4, see [Options].Owner. After the death of a process, or a
//     change of a channel's owner, what it had to copy is copied again by who writes to it now.
//  3. Place the new ring, and Also the old one, in every process. The error is ErrBehind where a
//     write has reached one of two stores since: Copy the channels of [Sharded.Behind] again.
//     New processes start with this placement now.
//  4. Place the new ring alone, in every process. Clear, in one.
//
// Until step 4 the way back is the same.
func (s *Sharded) Place(ctx context.Context, next Placement) error {
	if err := next.check(); err != nil {
		return err
	}
	next.Stores = maps.Clone(next.Stores)
	select {
	case s.placing <- struct{}{}:
		defer func() { <-s.placing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if err := s.swap(ctx, next); err != nil {
		return err
	}
	for _, p := range s.retired() {
		select {
		case <-p.idle:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// swap waits until nothing is written, and puts next in force.
func (s *Sharded) swap(ctx context.Context, next Placement) error {
	gate, quiet := make(chan struct{}), make(chan struct{})
	s.mu.Lock()
	s.gate = gate
	if s.writing == 0 {
		close(quiet)
	} else {
		s.quiet = quiet
	}
	s.mu.Unlock()

	var err error
	select {
	case <-quiet:
	case <-ctx.Done():
		err = ctx.Err()
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.gate, s.quiet = nil, nil
	defer close(gate)
	if err != nil {
		return err
	}
	for channel := range s.behind {
		if s.now.Ring.Owner(channel) != next.Ring.Owner(channel) {
			return ErrBehind
		}
	}
	for channel := range s.behind {
		_, also := s.now.owners(channel)
		if _, nextAlso := next.owners(channel); also != nextAlso {
			delete(s.behind, channel) // the second one is of no use any more
		}
	}
	if s.now.calls > 0 {
		s.earlier[s.now] = struct{}{}
	}
	s.now = &placed{Placement: next, idle: make(chan struct{})}
	return nil
}

// retired are the placements of calls that began before the one in force.
func (s *Sharded) retired() (all []*placed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.earlier {
		all = append(all, p)
	}
	return all
}

// Behind returns the channels of which a write may have reached one of two stores, in no order.
// Whoever wrote has got an error, and may have tried again since.
func (s *Sharded) Behind() (channels []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for channel := range s.behind {
		channels = append(channels, channel)
	}
	return channels
}

// begin returns the placement for a call, after which end is called.
func (s *Sharded) begin(ctx context.Context, writes bool) (*placed, error) {
	for {
		s.mu.Lock()
		gate := s.gate
		if !writes || gate == nil {
			p := s.now
			p.calls++
			if writes {
				s.writing++
			}
			s.mu.Unlock()
			return p, nil
		}
		s.mu.Unlock()
		select {
		case <-gate:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Sharded) end(p *placed, writes bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p.calls--
	if p.calls == 0 && p != s.now {
		delete(s.earlier, p)
		close(p.idle)
	}
	if writes {
		s.writing--
		if s.writing == 0 && s.quiet != nil {
			close(s.quiet)
			s.quiet = nil
		}
	}
}
