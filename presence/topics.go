package presence

import (
	"iter"
	"slices"
)

// topic is where the changes of some users are told.
type topic struct {
	users    map[string]struct{}
	watchers []*watcher
}

type watcher struct {
	fn func(topic string, changes []Change)
}

func (t *Tracker) topic(name string) *topic {
	tp := t.topics[name]
	if tp == nil {
		tp = &topic{users: make(map[string]struct{})}
		t.topics[name] = tp
	}
	return tp
}

// drop forgets a topic that nobody uses. mu is held.
func (t *Tracker) drop(name string) {
	if tp := t.topics[name]; tp != nil && len(tp.users) == 0 && len(tp.watchers) == 0 {
		delete(t.topics, name)
	}
}

// Join has a user's changes told in a topic. Joining twice is joining once.
// What others were told of the user before is not told again: read Online.
func (t *Tracker) Join(topic, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p := t.people[user]
	if p == nil {
		p = new(person)
		t.people[user] = p
	}
	users := t.topic(topic).users
	if _, joined := users[user]; !joined {
		users[user] = struct{}{}
		p.topics = append(p.topics, topic)
	}
}

// Part ends that.
func (t *Tracker) Part(topic, user string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if tp := t.topics[topic]; tp != nil {
		delete(tp.users, user)
		t.drop(topic)
	}
	if p := t.people[user]; p != nil {
		p.topics = slices.DeleteFunc(p.topics, func(name string) bool { return name == topic })
		t.tidy(user, p)
	}
}

// Watch calls fn with what changes in a topic, on this node or another, once
// per window. The tracker's goroutine calls it, and nothing else meanwhile: it
// must return soon, and may call any method but Close. The changes are the
// callee's to read. After stop has returned, fn may still be running once.
func (t *Tracker) Watch(topic string, fn func(topic string, changes []Change)) (stop func()) {
	w := &watcher{fn}
	t.mu.Lock()
	defer t.mu.Unlock()
	tp := t.topic(topic)
	tp.watchers = append(slices.Clip(tp.watchers), w)
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		tp.watchers = slices.DeleteFunc(slices.Clone(tp.watchers), func(x *watcher) bool { return x == w })
		t.drop(topic)
	}
}

// Online returns the users of a topic that others see as not offline, in no order.
func (t *Tracker) Online(topic string) iter.Seq[Presence] {
	return func(yield func(Presence) bool) {
		t.mu.Lock()
		var seen []Presence
		if tp := t.topics[topic]; tp != nil {
			for user := range tp.users {
				if p := t.people[user].seen(user); p.Status != Offline {
					seen = append(seen, p)
				}
			}
		}
		t.mu.Unlock()
		for _, p := range seen {
			if !yield(p) {
				return
			}
		}
	}
}
