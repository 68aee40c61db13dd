package main

import (
	"context"
	"sync"
	"time"

	"github.com/gatehouse-go/gatehouse/gateway/message"
	"github.com/gatehouse-go/gatehouse/presence"
)

// whereabouts are what notifications has to know of people: who is connected, and since when the
// others are not. It reads the entries themselves, since a tracker forgets over a restart when
// somebody left.
type whereabouts struct {
	store presence.Store

	mu     sync.Mutex
	cursor uint64
	people map[string]*person
}

// person is what is known of one.
type person struct {
	devices map[string]presence.Entry // by session; those that are gone are not there
	left    time.Time                 // when the last of those that are gone went
}

// need is whether somebody has to be notified.
type need int

const (
	notNeeded need = iota
	undecided      // the connection was lost before: whoever comes back in time has missed nothing
	needed
)

// refresh reads what has changed.
func (w *whereabouts) refresh(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	changed, next, err := w.store.Since(ctx, w.cursor)
	if err != nil {
		return err
	}
	w.cursor = next
	for _, e := range changed {
		w.apply(e)
	}
	return nil
}

func (w *whereabouts) apply(e presence.Entry) {
	if w.people == nil {
		w.people = make(map[string]*person)
	}
	p := w.people[e.User]
	if p == nil {
		p = &person{devices: make(map[string]presence.Entry)}
		w.people[e.User] = p
	}
	if !e.Gone {
		p.devices[e.Session] = e
		return
	}
	delete(p.devices, e.Session)
	left := e.Left
	if left.IsZero() {
		left = e.At
	}
	if left.After(p.left) {
		p.left = left
	}
}

// need says whether somebody has to be notified of a message: who is connected does not, nor who
// left after it was said.
func (w *whereabouts) need(name string, id message.ID) need {
	w.mu.Lock()
	defer w.mu.Unlock()
	p := w.people[name]
	if p == nil {
		return needed
	}
	left, answer := p.left, needed
	for _, e := range p.devices {
		if e.Left.IsZero() {
			return notNeeded
		}
		answer = undecided
		if e.Left.After(left) {
			left = e.Left
		}
	}
	if left.Truncate(time.Millisecond).After(id.Time()) { // an id has no more than milliseconds
		return notNeeded
	}
	return answer
}
