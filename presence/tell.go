package presence

// told is what one topic is told at the end of a window.
type told struct {
	watchers []*watcher
	all      []Change
	here     []Change
}

// tell hands out what changed since the last window: by user first, then by topic.
func (t *Tracker) tell() {
	t.mu.Lock()
	if len(t.dirty) == 0 {
		t.mu.Unlock()
		return
	}
	crowd := len(t.dirty) > 1000
	topics := map[string]*told{}
	var strangers []Change
	for user, here := range t.dirty {
		delete(t.dirty, user)
		p := t.people[user]
		c, changed := p.settle(user)
		if changed {
			if here && len(p.topics) == 0 && t.opts.Topics != nil {
				strangers = append(strangers, c)
			}
			for _, name := range p.topics {
				to := topics[name]
				if to == nil {
					to = &told{watchers: t.topics[name].watchers}
					topics[name] = to
				}
				to.all = append(to.all, c)
				if here {
					to.here = append(to.here, c)
				}
			}
		}
		t.tidy(user, p)
	}
	if crowd { // a map keeps the room that it once needed
		t.dirty = make(map[string]bool)
	}
	t.mu.Unlock()
	for _, c := range strangers {
		for _, name := range t.opts.Topics(c.User) {
			if topics[name] == nil {
				topics[name] = new(told)
			}
			topics[name].here = append(topics[name].here, c)
		}
	}
	for name, to := range topics {
		for _, w := range to.watchers {
			w.fn(name, to.all)
		}
		if t.opts.Publish != nil && len(to.here) > 0 {
			t.opts.Publish(name, to.here)
		}
	}
}
