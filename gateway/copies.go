package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// copies keeps a copy of each session in the store, as old as Limits.Checkpoint
// at most, so that another node can go on with it when this one is killed. One
// goroutine saves and deletes them all, so that a copy never comes behind the
// end of its session.
type copies struct {
	gw *Gateway

	mu   sync.Mutex
	soon []*Session      // that have changed, for the next round
	gone map[string]bool // sessions that have ended, until the store has forgotten them
	next chan struct{}   // closed when they were tried
	wake chan struct{}   // of one

	saving chan struct{} // full while copies are on their way
	failed lastError     // of the last round
	late   atomic.Bool   // a READY has waited in vain, and no Save was in time since
}

func newCopies(g *Gateway) *copies {
	return &copies{gw: g, next: make(chan struct{}), wake: make(chan struct{}, 1), saving: make(chan struct{}, 1), gone: make(map[string]bool)}
}

const (
	// copiesAtOnce is how many are saved with one call.
	copiesAtOnce = 256
	// copiesEvery is how often copies are looked for that are too old.
	copiesEvery = time.Second
	// copiesGap is the time between two rounds: what changes meanwhile goes with one Save.
	copiesGap = 5 * time.Millisecond
)

// run saves copies until the gateway ends.
func (cs *copies) run() {
	ticker := time.NewTicker(copiesEvery)
	defer ticker.Stop()
	var advance time.Time // when the topics' places are to follow their partitions: a quiet topic's is old else
	for {
		all := false
		select {
		case <-cs.wake:
		case <-ticker.C:
			all = true
			if now := cs.gw.now(); !now.Before(advance) {
				advance = now.Add(cs.gw.limits.Checkpoint / 2)
				cs.gw.topics.advance(cs.gw.ctx)
			}
		case <-cs.gw.ctx.Done():
			return
		}
		if err := cs.round(all); err != nil {
			cs.failed.set(fmt.Errorf("copies were not saved: %w", err))
		} else {
			cs.failed.set(nil)
		}
		select {
		case <-time.After(copiesGap):
		case <-cs.gw.ctx.Done():
			return
		}
	}
}

// round saves what has changed, with all the copies that are too old too, and has
// the store forget what has ended.
func (cs *copies) round(all bool) error {
	errs := cs.saveSoon()
	if all {
		now := cs.gw.now()
		old := make([]*Session, 0, copiesAtOnce)
		for _, s := range cs.gw.bySession.All() {
			if !s.copyDue(now) {
				continue
			}
			if old = append(old, s); len(old) == copiesAtOnce {
				errs = errors.Join(errs, cs.save(old), cs.saveSoon()) // who waits does not wait for all of them
				old = old[:0]
			}
		}
		errs = errors.Join(errs, cs.save(old))
	}
	ctx, cancel := context.WithTimeout(cs.gw.ctx, saveWithin)
	defer cancel()
	return errors.Join(errs, cs.forgetEnded(ctx))
}

// saveSoon saves what has changed.
func (cs *copies) saveSoon() (errs error) {
	cs.mu.Lock()
	soon, tried := cs.soon, cs.next
	cs.soon, cs.next = nil, make(chan struct{})
	cs.mu.Unlock()
	began := time.Now()
	for some := range slices.Chunk(soon, copiesAtOnce) {
		errs = errors.Join(errs, cs.save(some))
	}
	if len(soon) > 0 && errs == nil {
		cs.late.Store(time.Since(began) >= firstCopyWithin)
	}
	close(tried)
	return errs
}

// save saves copies of sessions. After an error they are due at once.
func (cs *copies) save(sessions []*Session) error {
	if len(sessions) == 0 {
		return nil
	}
	now := cs.gw.now()
	ctx, cancel := context.WithTimeout(cs.gw.ctx, saveWithin)
	defer cancel()
	cs.saving <- struct{}{}
	defer func() { <-cs.saving }()
	records, of := cs.gw.copy(sessions)
	if len(records) == 0 {
		return nil
	}
	err := cs.gw.opts.Sessions.Save(ctx, cs.gw.lease.node, records...)
	var taken *TakenError
	switch {
	case errors.As(err, &taken):
		for _, id := range taken.IDs {
			cs.gw.lose(id)
		}
	case err != nil:
		for _, s := range of {
			s.copyAt.Store(copySoon)
		}
		return err
	}
	for _, s := range of {
		s.copied(now)
	}
	cs.gw.stats.copies.Add(uint64(len(records)))
	return nil
}

// saveWithin is how long a store may take for copies.
const saveWithin = 5 * time.Second

// forget has the store forget sessions that have ended.
func (cs *copies) forget(ctx context.Context, ids ...string) error {
	if len(ids) == 0 {
		return nil
	}
	if err := cs.gw.opts.Sessions.Delete(ctx, cs.gw.lease.node, ids...); err != nil {
		return err
	}
	cs.mu.Lock()
	defer cs.mu.Unlock()
	for _, id := range ids {
		delete(cs.gone, id)
	}
	return nil
}

// hasEnded reports whether a session has ended here, and the store may not know.
func (cs *copies) hasEnded(id string) bool {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	return cs.gone[id]
}

// change has a session copied soon, and returns what is closed when it was
// tried.
func (cs *copies) change(s *Session) <-chan struct{} {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.soon = append(cs.soon, s)
	cs.rouse()
	return cs.next
}

// end has a session forgotten that has ended.
func (cs *copies) end(id string) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	cs.gone[id] = true
	cs.rouse()
}

func (cs *copies) rouse() {
	select {
	case cs.wake <- struct{}{}:
	default:
	}
}

// forgetEnded has the store forget all the sessions that have ended.
func (cs *copies) forgetEnded(ctx context.Context) error {
	cs.mu.Lock()
	gone := slices.Collect(maps.Keys(cs.gone))
	cs.mu.Unlock()
	return cs.forget(ctx, gone...)
}

// keep returns when a session's change of topics is in its copy, or the store
// does not answer: a node that is killed from then on has not lost it.
func (cs *copies) keep(ctx context.Context, s *Session) error {
	if cs == nil {
		return nil
	}
	s.mu.Lock()
	ok := s.mayBeCopied()
	s.mu.Unlock()
	if !ok {
		return nil // there is no copy, or there will be one of all that
	}
	kept := cs.change(s)
	if cs.failed.get() != nil {
		return nil
	}
	select {
	case <-kept:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.gw.ctx.Done():
		return ErrClosed
	}
}

// firstCopyWithin is how long READY waits for the store to have the session.
const firstCopyWithin = time.Second

// begin has the first copy of a session saved before its client learns of it: from
// then on any node that shares the store knows whose it is. Sessions that begin at
// once share a Save. A store that is slow or away holds READY for firstCopyWithin
// at most, and those that come later not at all; the copy follows when it answers.
func (cs *copies) begin(ctx context.Context, s *Session) {
	if cs == nil {
		return
	}
	s.copyAt.Store(copySoon)
	timer := time.NewTimer(firstCopyWithin)
	defer timer.Stop()
	for s.lacksCopy() {
		tried := cs.change(s)
		if cs.late.Load() {
			return
		}
		select {
		case <-tried:
		case <-timer.C:
			cs.late.Store(true)
			return
		case <-ctx.Done():
			return
		case <-s.gw.ctx.Done():
			return
		}
	}
}

// settle waits until no copy is on its way that was made before.
func (cs *copies) settle(ctx context.Context) error {
	select {
	case cs.saving <- struct{}{}:
		<-cs.saving
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
